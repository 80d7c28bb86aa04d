/** Integers in JSON: numbers or strings, also with fraction and exponent as long as the value is whole (etcd-v3-wire.md 4.2). */

const plainDigitsMax = 15;
const plain = /^-?(?:0|[1-9][0-9]*)$/;
const general = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/;
/** More digits than any 64-bit number has. */
const digitsMax = 20;

/** Types that are integers, with their ranges. */
const ranges = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
} as const;

export type IntegerType = keyof typeof ranges;

/** The value of `literal`; undefined if it is not a whole number that `type` can hold. */
export function parseInteger(literal: string, type: IntegerType): number | bigint | undefined {
  // Adding 0 makes 0 of -0.
  const value = literal.length <= plainDigitsMax && plain.test(literal) ? Number(literal) + 0 : parseGeneral(literal);
  if (value === undefined) return undefined;
  const [min, max] = ranges[type];
  return value >= min && value <= max ? value : undefined;
}

/** `value`, which may be a double beyond 2^53, as the writer of messages sends it: clamped to the range of `type`. */
export function formatInteger(value: number | bigint, type: IntegerType): string {
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return String(value);
  if (Number.isNaN(value)) return "0";
  const [min, max] = ranges[type];
  if (value <= Number(min)) return String(min);
  return value >= Number(max) ? String(max) : String(BigInt(Math.trunc(value)));
}

function parseGeneral(literal: string): bigint | undefined {
  const [, sign, whole, fraction = "", exponent = "0"] = general.exec(literal) ?? [];
  if (whole === undefined) return undefined;
  const digits = whole + fraction;
  const first = skip(digits, "0", 0, 1);
  if (first === digits.length) return 0n;
  const last = skip(digits, "0", digits.length - 1, -1);
  const zeros = Number(exponent) - fraction.length + (digits.length - 1 - last);
  if (zeros < 0 || last - first + 1 + zeros > digitsMax) return undefined;
  return BigInt(`${sign}${digits.slice(first, last + 1)}${"0".repeat(zeros)}`);
}

/** Index of the first character from `from` on that is not `character`. */
function skip(text: string, character: string, from: number, step: 1 | -1): number {
  let at = from;
  while (text[at] === character) at += step;
  return at;
}
