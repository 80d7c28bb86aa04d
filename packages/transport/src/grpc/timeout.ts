/** The `grpc-timeout` header: at most eight digits and a unit. */

const NANOSECONDS_PER_MS = 1_000_000;
const UNIT_NANOSECONDS: ReadonlyMap<string, number> = new Map([
  ["H", 3_600_000 * NANOSECONDS_PER_MS],
  ["M", 60_000 * NANOSECONDS_PER_MS],
  ["S", 1_000 * NANOSECONDS_PER_MS],
  ["m", NANOSECONDS_PER_MS],
  ["u", 1_000],
  ["n", 1],
]);
const DIGITS = /^[0-9]+$/;
const LARGEST_VALUE = 99_999_999;

/** A `grpc-timeout` that cannot be read; the message is the text grpc-go gives. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError";
}

/**
 * Milliseconds, rounded up so that no deadline passes early; 0 only for a timeout of zero.
 * @throws TimeoutError for anything but 1 to 8 digits followed by one of `H M S m u n`.
 */
export function parseTimeout(text: string): number {
  const quoted = JSON.stringify(text);
  if (text.length < 2) throw new TimeoutError(`transport: timeout string is too short: ${quoted}`);
  if (text.length > 9) throw new TimeoutError(`transport: timeout string is too long: ${quoted}`);
  const nanoseconds = UNIT_NANOSECONDS.get(text.slice(-1));
  if (nanoseconds === undefined) throw new TimeoutError(`transport: timeout unit is not recognized: ${quoted}`);
  const digits = text.slice(0, -1);
  if (!DIGITS.test(digits)) {
    throw new TimeoutError(`strconv.ParseUint: parsing ${JSON.stringify(digits)}: invalid syntax`);
  }
  return Math.ceil((Number(digits) * nanoseconds) / NANOSECONDS_PER_MS);
}

/** The header for `timeoutMs`, in the finest unit that eight digits can hold. */
export function formatTimeout(timeoutMs: number): string {
  const ms = Math.max(0, Math.ceil(timeoutMs));
  if (ms <= LARGEST_VALUE) return `${ms}m`;
  const seconds = Math.ceil(ms / 1_000);
  if (seconds <= LARGEST_VALUE) return `${seconds}S`;
  return `${Math.min(Math.ceil(seconds / 3_600), LARGEST_VALUE)}H`;
}
