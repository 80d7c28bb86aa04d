/**
 * The decoders of every message (fault model F45): bytes become a value or a `MalformedMessageError`; what was decoded is
 * encoded, decoded again, and encoded to the same bytes.
 */
import {
  MalformedMessageError,
  type MessageCodec,
  messageCodecs,
  messageFromJson,
  messageToJson,
} from "@holdfast/protocol";
import type { FuzzTarget } from "../fuzz-target.js";
import { mutate } from "../mutate.js";
import type { Random } from "../random.js";
import { damagedMessage, validMessage } from "../wire-message.js";

const codecs = [...messageCodecs.values()];

/** An input: two bytes that choose the type, then the message. */
export class ProtobufTarget implements FuzzTarget {
  readonly name = "protobuf";
  #decoded = 0;
  #refused = 0;

  generate(random: Random): Buffer {
    const at = random.below(codecs.length);
    const codec = codecs[at] as MessageCodec<unknown>;
    return Buffer.concat([Buffer.from([at >> 8, at & 0xff]), this.#message(codec, random)]);
  }

  run(input: Buffer): void {
    if (input.length < 2) return;
    const codec = codecs[input.readUInt16BE(0) % codecs.length] as MessageCodec<unknown>;
    const message = decodeOrRefuse(codec, input.subarray(2));
    if (message === undefined) {
      this.#refused++;
      return;
    }
    this.#decoded++;
    const encoded = codec.encode(message);
    const again = codec.encode(codec.decode(encoded));
    if (!Buffer.from(encoded).equals(again)) throw new Error(`${codec.typeName} does not come back as it was`);
    assertJson(codec, message);
  }

  figures(): string {
    return `${this.#decoded} decoded, ${this.#refused} refused`;
  }

  #message(codec: MessageCodec<unknown>, random: Random): Buffer {
    if (random.chance(4)) return mutate(validMessage(codec, random), random);
    if (random.chance(8)) return random.bytes(random.length(60));
    return random.chance(8) ? validMessage(codec, random) : damagedMessage(codec, random);
  }
}

/** The message, or undefined if it was refused as it should be. */
export function decodeOrRefuse(codec: MessageCodec<unknown>, bytes: Uint8Array): unknown {
  try {
    return codec.decode(bytes);
  } catch (error) {
    if (error instanceof MalformedMessageError) return undefined;
    throw error;
  }
}

/** Texts are compared, not bytes: JSON puts the keys of a map in order. */
function assertJson(codec: MessageCodec<unknown>, message: unknown): void {
  const text = messageToJson(codec, message);
  const again = messageToJson(codec, messageFromJson(codec, text));
  if (again !== text) throw new Error(`${codec.typeName} is another one in JSON: ${text.slice(0, 500)}`);
}
