/** Bytes in JSON: base64 as Go's protojson reads it (etcd-v3-wire.md 4.2). */

const outsideStandard = /[^A-Za-z0-9+/]/;
const outsideUrlSafe = /[^A-Za-z0-9_-]/;

/**
 * The bytes that `text` stands for; undefined if it is not base64. Standard or URL-safe alphabet, not mixed; with
 * padding if the length is a multiple of four, else without; line ends are skipped.
 */
export function bufferFromBase64(text: string): Buffer | undefined {
  const isPadded = text.length % 4 === 0;
  const digits = /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, "") : text;
  const paddingStart = endOfDigits(digits);
  if (digits.length - paddingStart !== (isPadded ? paddingOf(paddingStart) : 0) || paddingStart % 4 === 1)
    return undefined;
  return Buffer.from(digits, "base64");
}

/** Padding that so many digits need. */
function paddingOf(digitCount: number): number {
  return (4 - (digitCount % 4)) % 4;
}

/** Where the digits end and nothing but "=" follows; 1, which no base64 has, if something else follows. */
function endOfDigits(text: string): number {
  const end = text.search(outsideStandard);
  const urlEnd = end >= 0 && text[end] !== "=" ? text.search(outsideUrlSafe) : end;
  if (urlEnd < 0) return text.length;
  return /^={1,2}$/.test(text.slice(urlEnd)) ? urlEnd : 1;
}
