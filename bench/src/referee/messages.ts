/**
 * Just enough of protobuf and of the etcd v3 messages to prepare a benchmark and to check its answers, encoded and
 * decoded by hand.
 *
 * It shares no code with Holdfast on purpose: the referee does not use the player's equipment. Not fast, and not meant
 * to be.
 */

/** A field of a message: its number, and a varint, or what is length-delimited. */
export type Field = readonly [number, number | string | Uint8Array];

/** Field number to the values it occurs with, in order. */
export type Fields = ReadonlyMap<number, readonly (number | Buffer)[]>;

/** Encodes a protobuf message: numbers as varints, everything else as bytes. */
export function encodeMessage(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([field, value]) => {
      if (typeof value === "number") return [varint(field * 8), varint(value)];
      const bytes = Buffer.from(value as string);
      return [varint(field * 8 + 2), varint(bytes.length), bytes];
    }),
  );
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/**
 * Decodes a protobuf message; numbers are exact below 2^53.
 * @throws Error on a wire type that the etcd API does not use in what is read here.
 */
export function decodeMessage(bytes: Buffer): Fields {
  const fields = new Map<number, (number | Buffer)[]>();
  const reader = new VarintReader(bytes);
  while (reader.at < bytes.length) {
    const tag = reader.next();
    const wireType = tag % 8;
    if (wireType !== 0 && wireType !== 2) throw new Error(`unexpected protobuf wire type ${wireType}`);
    let value: number | Buffer = reader.next();
    if (wireType === 2) {
      reader.at += value;
      value = bytes.subarray(reader.at - value, reader.at);
    }
    const field = Math.floor(tag / 8);
    const values = fields.get(field);
    if (values === undefined) fields.set(field, [value]);
    else values.push(value);
  }
  return fields;
}

class VarintReader {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  next(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.at++] ?? 0;
      value += (byte % 128) * scale;
      if (byte < 128) return value;
    }
  }
}

/** The number in a field; 0, which is never sent, when it is absent. */
export function numberOf(fields: Fields, field: number): number {
  const value = fields.get(field)?.[0];
  return typeof value === "number" ? value : 0;
}

/** The bytes in a field; empty when it is absent. */
export function bytesOf(fields: Fields, field: number): Buffer {
  const value = fields.get(field)?.[0];
  return value instanceof Buffer ? value : Buffer.alloc(0);
}

/** All messages or strings of a repeated field. */
export function allOf(fields: Fields, field: number): Buffer[] {
  return (fields.get(field) ?? []).filter((value): value is Buffer => value instanceof Buffer);
}

/** A message in the envelope that gRPC puts around it: not compressed, four bytes of length. */
export function envelope(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/**
 * The messages in the envelopes of one answer.
 * @throws Error when the last one is not whole.
 */
export function unwrap(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = bytes.length - at < 5 ? Number.NaN : bytes.readUInt32BE(at + 1);
    if (!(at + 5 + length <= bytes.length)) throw new Error("an answer ends in the middle of a message");
    messages.push(bytes.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return messages;
}
