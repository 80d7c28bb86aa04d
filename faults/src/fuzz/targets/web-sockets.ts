/** WebSocket frames (RFC 6455) to a real server, behind a handshake that is good (F26, F42, F44). */
import { type AnyMethodDescriptor, methodsByPath } from "@holdfast/protocol";
import { honestRange } from "../honest-range.js";
import { jsonText } from "../json-text.js";
import { mutate } from "../mutate.js";
import { ProcessTarget } from "../process-target.js";
import type { Random } from "../random.js";

const methods = [...methodsByPath.values()].filter(({ kind, httpPaths }) => kind !== "unary" && httpPaths.length > 0);
const framesMax = 12;
const opcodes = [0, 1, 1, 1, 1, 2, 8, 9, 10, 3, 15] as const;
const handshake = [
  "Host: x",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
] as const;

export class WebSocketsTarget extends ProcessTarget {
  readonly name = "web-sockets";

  protected bytesOf(random: Random): Buffer {
    const method = random.pick(methods) as AnyMethodDescriptor;
    const head = Buffer.from([`GET ${random.pick(method.httpPaths)} HTTP/1.1`, ...handshake, "", ""].join("\r\n"));
    const frames = Array.from({ length: random.length(framesMax) }, () => frameOf(method, random));
    const all = Buffer.concat(frames);
    return Buffer.concat([
      random.chance(20) ? mutate(head, random) : head,
      random.chance(4) ? mutate(all, random) : all,
    ]);
  }

  protected honestUse(endpoint: string): Promise<void> {
    return honestRange(endpoint);
  }
}

function frameOf({ request }: AnyMethodDescriptor, random: Random): Buffer {
  const payload = random.chance(8) ? random.bytes(random.length(300)) : jsonText(request, random);
  if (random.chance(8)) return frame(random.next() & 0xff, payload, random);
  const final = random.chance(6) ? 0 : 0x80;
  return frame(final | (random.chance(3) ? random.pick(opcodes) : 1), payload, random);
}

/** Masked, as those of a client must be, but now and then not; of a length that is told, now and then, otherwise. */
function frame(first: number, payload: Buffer, random: Random): Buffer {
  const isMasked = !random.chance(30);
  const length = random.chance(20) ? random.pick([0, 125, 126, 65_535, 65_536, 2 ** 31, 2 ** 40]) : payload.length;
  const head = [first, ...lengthOf(length, isMasked ? 0x80 : 0, random)];
  if (!isMasked) return Buffer.concat([Buffer.from(head), payload]);
  const mask = random.bytes(4);
  const masked = payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return Buffer.concat([Buffer.from(head), mask, masked]);
}

/** Now and then in more bytes than it needs. */
function lengthOf(length: number, maskBit: number, random: Random): number[] {
  if (length < 126 && !random.chance(30)) return [maskBit | length];
  if (length < 65_536 && !random.chance(30)) return [maskBit | 126, length >> 8, length & 0xff];
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(length));
  return [maskBit | 127, ...bytes];
}
