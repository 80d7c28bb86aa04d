/** Reading JSON (fault model F44, F45): a text becomes a value or a `JsonError`, and what was read is written as it was meant. */
import { JsonError, type MessageCodec, messageCodecs, messageFromJson, messageToJson } from "@holdfast/protocol";
import type { FuzzTarget } from "../fuzz-target.js";
import { jsonText } from "../json-text.js";
import type { Random } from "../random.js";

const codecs = [...messageCodecs.values()];

/** An input: two bytes that choose the type, then the text. */
export class JsonTarget implements FuzzTarget {
  readonly name = "json";
  #read = 0;
  #refused = 0;

  generate(random: Random): Buffer {
    const at = random.below(codecs.length);
    return Buffer.concat([Buffer.from([at >> 8, at & 0xff]), jsonText(codecs[at] as MessageCodec<unknown>, random)]);
  }

  run(input: Buffer): void {
    if (input.length < 2) return;
    const codec = codecs[input.readUInt16BE(0) % codecs.length] as MessageCodec<unknown>;
    const message = readOrRefuse(codec, input.toString("utf8", 2));
    if (message === undefined) {
      this.#refused++;
      return;
    }
    this.#read++;
    const text = messageToJson(codec, message);
    if (messageToJson(codec, messageFromJson(codec, text)) !== text)
      throw new Error(`${codec.typeName}: not as it was read`);
    const encoded = codec.encode(message);
    if (messageToJson(codec, codec.decode(encoded)) !== text)
      throw new Error(`${codec.typeName}: another one on the wire`);
  }

  figures(): string {
    return `${this.#read} read, ${this.#refused} refused`;
  }
}

function readOrRefuse(codec: MessageCodec<unknown>, text: string): unknown {
  try {
    return messageFromJson(codec, text);
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}
