/** The encoding of `grpc-message`: UTF-8, with all but printable ASCII as %XX (gRPC over HTTP/2, "Status-Message"). */

const PLAIN = /^[ -$&-~]*$/;
const PERCENT = 0x25;
const SPACE = 0x20;
const TILDE = 0x7e;

/** Encodes any text; lone surrogates become U+FFFD. */
export function percentEncode(text: string): string {
  if (PLAIN.test(text)) return text;
  let encoded = "";
  for (const byte of Buffer.from(text, "utf8")) {
    const plain = byte >= SPACE && byte <= TILDE && byte !== PERCENT;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

/** Decodes what a peer sent, one char per octet; broken escapes are kept as they are, broken UTF-8 becomes U+FFFD. */
export function percentDecode(encoded: string): string {
  const octets = encoded.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(octets, "latin1").toString("utf8");
}
