/** Applying is total; where it is not after all, that is a bug, and nothing may be said any more (fault-model F10, I11). */
import { digestOf } from "@holdfast/log";

/**
 * Thrown when applying an entry of the log threw. It is in the log and will be met again at every start: the program has to
 * be mended, not started again. What it was about is told by its place and its digest, never by its content.
 */
export class UnappliableEntryError extends Error {
  readonly index: number;
  /** Of the entry's payload, see `digestOf`; hexadecimal. */
  readonly digest: string;

  constructor(index: number, payload: Uint8Array, options: { readonly cause: unknown }) {
    const digest = digestOf(payload).toString("hex");
    super(`log entry ${index} (digest ${digest}) cannot be applied: this is a bug`, options);
    this.name = "UnappliableEntryError";
    this.index = index;
    this.digest = digest;
  }
}

/** Marks what applying threw, until the entry it is of is known. */
export class ApplyFailure extends Error {
  constructor(cause: unknown) {
    super("applying threw", { cause });
  }
}

/** What to throw of `error` that came out of the entry at `index`: an `UnappliableEntryError` for an `ApplyFailure`. */
export function unappliable(error: unknown, index: number, payload: Uint8Array): unknown {
  return error instanceof ApplyFailure ? new UnappliableEntryError(index, payload, { cause: error.cause }) : error;
}
