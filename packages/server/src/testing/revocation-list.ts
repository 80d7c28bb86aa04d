/** Makes lists of revoked certificates, with just enough DER for them. */
import { createSign } from "node:crypto";
import type { Issued } from "./certificates.js";

const ecdsaWithSha256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const commonName = [0x55, 0x04, 0x03];
const dayMs = 24 * 60 * 60 * 1_000;

const Tag = { integer: 0x02, bitString: 0x03, oid: 0x06, utf8: 0x0c, time: 0x17, sequence: 0x30, set: 0x31 } as const;

/** The list (RFC 5280 5.1) in DER, signed by `authority`. It is valid until `daysLeft` days from now, at most 20 years. */
export function revocationList(authority: Issued, revoked: readonly Issued[], daysLeft = 1): Buffer {
  const now = Date.now();
  const nextUpdate = now + daysLeft * dayMs;
  const entries = revoked.map(({ serialNumber }) =>
    der(Tag.sequence, positiveInteger(serialNumber), utcTime(now - dayMs)),
  );
  const body = der(
    Tag.sequence,
    der(Tag.integer, Buffer.of(1)),
    algorithm(),
    name(authority.commonName),
    utcTime(Math.min(now, nextUpdate) - dayMs),
    utcTime(nextUpdate),
    ...(entries.length === 0 ? [] : [der(Tag.sequence, ...entries)]),
  );
  const signature = createSign("sha256").update(body).sign(authority.key);
  return der(Tag.sequence, body, algorithm(), der(Tag.bitString, Buffer.of(0), signature));
}

export function pemOf(list: Buffer): string {
  return `-----BEGIN X509 CRL-----\n${list.toString("base64")}\n-----END X509 CRL-----\n`;
}

function algorithm(): Buffer {
  return der(Tag.sequence, der(Tag.oid, Buffer.from(ecdsaWithSha256)));
}

function name(text: string): Buffer {
  const attribute = der(Tag.sequence, der(Tag.oid, Buffer.from(commonName)), der(Tag.utf8, Buffer.from(text)));
  return der(Tag.sequence, der(Tag.set, attribute));
}

function positiveInteger(hex: string): Buffer {
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  const needsZero = ((bytes[0] ?? 0) & 0x80) !== 0;
  return der(Tag.integer, ...(needsZero ? [Buffer.of(0)] : []), bytes);
}

function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, "").slice(2, 14);
  return der(Tag.time, Buffer.from(`${digits}Z`));
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}
