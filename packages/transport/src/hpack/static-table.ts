/** The static table of RFC 7541 Appendix A, by index for the decoder and by content for the encoder. */

import { HeaderField } from "./header-field.js";

/** [name, value] in the order of Appendix A; the first has index 1. */
const APPENDIX_A: readonly (readonly [string, string])[] = [
  [":authority", ""],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  [":status", "200"],
  [":status", "204"],
  [":status", "206"],
  [":status", "304"],
  [":status", "400"],
  [":status", "404"],
  [":status", "500"],
  ["accept-charset", ""],
  ["accept-encoding", "gzip, deflate"],
  ["accept-language", ""],
  ["accept-ranges", ""],
  ["accept", ""],
  ["access-control-allow-origin", ""],
  ["age", ""],
  ["allow", ""],
  ["authorization", ""],
  ["cache-control", ""],
  ["content-disposition", ""],
  ["content-encoding", ""],
  ["content-language", ""],
  ["content-length", ""],
  ["content-location", ""],
  ["content-range", ""],
  ["content-type", ""],
  ["cookie", ""],
  ["date", ""],
  ["etag", ""],
  ["expect", ""],
  ["expires", ""],
  ["from", ""],
  ["host", ""],
  ["if-match", ""],
  ["if-modified-since", ""],
  ["if-none-match", ""],
  ["if-range", ""],
  ["if-unmodified-since", ""],
  ["last-modified", ""],
  ["link", ""],
  ["location", ""],
  ["max-forwards", ""],
  ["proxy-authenticate", ""],
  ["proxy-authorization", ""],
  ["range", ""],
  ["referer", ""],
  ["refresh", ""],
  ["retry-after", ""],
  ["server", ""],
  ["set-cookie", ""],
  ["strict-transport-security", ""],
  ["transfer-encoding", ""],
  ["user-agent", ""],
  ["vary", ""],
  ["via", ""],
  ["www-authenticate", ""],
];

/** Entry 0 is index 1. */
export const STATIC_FIELDS: readonly HeaderField[] = APPENDIX_A.map(([name, value]) => {
  return new HeaderField(name, value, true, true);
});

/** How many indices the static table takes; the dynamic table begins behind them (RFC 7541 section 2.3.3). */
export const STATIC_LENGTH = STATIC_FIELDS.length;

/** Where one name stands in the static table. */
export interface StaticName {
  /** The lowest index with this name. */
  readonly index: number;
  /** The index of each value that the table has for this name. */
  readonly values: ReadonlyMap<string, number>;
}

/** The static table by name. */
export const STATIC_NAMES: ReadonlyMap<string, StaticName> = indexByName();

function indexByName(): Map<string, StaticName> {
  const byName = new Map<string, { index: number; values: Map<string, number> }>();
  STATIC_FIELDS.forEach((field, at) => {
    const known = byName.get(field.name) ?? { index: at + 1, values: new Map<string, number>() };
    known.values.set(field.value, at + 1);
    byName.set(field.name, known);
  });
  return byName;
}
