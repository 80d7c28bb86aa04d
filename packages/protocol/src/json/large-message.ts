/** The JSON of a large message in pieces, so that whoever makes it can do other work in between. */

import type { FieldDescriptor, MessageCodec } from "../runtime/descriptors.js";
import { Reader } from "../runtime/reader.js";
import { messageToJsonShared } from "./write-message.js";

/** Neighbouring fields of one number in an encoded message. */
interface Run {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

/** Braces of an object without fields. */
const emptyLength = 2;

/**
 * What `messageToJson` makes of the message encoded in `bytes`, in pieces, each made of about `pieceBytes` of them; a single
 * element of a list is never split. Its fields must be in ascending order, as `MessageCodec.encode` writes them. `bytes`
 * must not change until the end. Throws `MalformedMessageError`, and `TypeError` for fields in another order.
 */
export function* messageToJsonInPieces<Message>(
  codec: MessageCodec<Message>,
  bytes: Uint8Array,
  pieceBytes: number,
): Generator<Buffer, void, undefined> {
  /** What stands between the piece before and the next one, and the list that is still open. */
  let separator = "{";
  let openList = 0;
  for (const { number, start, end } of runsOf(codec.fields, bytes, pieceBytes)) {
    const text = messageToJsonShared(codec, codec.decode(bytes, start, end));
    if (text.length === emptyLength) continue;
    const list = isList(codec.fields, number);
    if (number === openList) yield joined(",", text.subarray(text.indexOf("[") + 1, -2));
    else yield joined(openList > 0 ? `]${separator}` : separator, text.subarray(1, list ? -2 : -1));
    openList = list ? number : 0;
    separator = ",";
  }
  yield Buffer.from(`${separator === "{" ? "{" : ""}${openList > 0 ? "]" : ""}}`);
}

function* runsOf(fields: readonly FieldDescriptor[], bytes: Uint8Array, pieceBytes: number): Generator<Run> {
  const reader = new Reader();
  reader.reset(bytes, 0, bytes.length);
  let [number, start, end] = [0, 0, 0];
  while (reader.position < reader.limit) {
    const tag = reader.tag();
    const next = tag >>> 3;
    reader.skip(tag);
    const isFull = end - start >= pieceBytes && isList(fields, number);
    if (next < number) throw new TypeError("fields out of order");
    if (number > 0 && (next !== number || isFull)) {
      yield { number, start, end };
      start = end;
    }
    number = next;
    end = reader.position;
  }
  if (number > 0) yield { number, start, end };
}

function isList(fields: readonly FieldDescriptor[], number: number): boolean {
  return fields.some((field) => field.number === number && field.repeated && field.type === "message");
}

function joined(before: string, text: Buffer): Buffer {
  return Buffer.concat([Buffer.from(before), text]);
}
