/** What a check comes to: what must not be, and, as clearly, what it could not look at. */
import type { Violation } from "../history/history.js";

/** The outcome of one check. */
export interface Finding {
  readonly check: string;
  readonly violations: readonly Violation[];
  /** Why the check did not run at all, if it did not: nothing to look at in this kind of history. */
  readonly skipped: string | undefined;
  /** Why the check looked at the answers alone, without the log that it would rather have; undefined if it did not. */
  readonly fellBack: string | undefined;
  /** Searches that were given up because they would have taken too long: neither passed nor failed. */
  readonly gaveUp: readonly string[];
  /** Whatever is worth counting over many runs, by name. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Collects what one check finds. */
export class FindingBuilder {
  readonly check: string;
  readonly #violations: Violation[] = [];
  readonly #gaveUp: string[] = [];
  readonly #counts: Record<string, number> = {};
  #fellBack: string | undefined;

  constructor(check: string) {
    this.check = check;
  }

  violation(invariant: string, message: string): void {
    this.#violations.push({ check: this.check, invariant, message });
  }

  fellBack(reason: string): void {
    this.#fellBack = reason;
  }

  gaveUp(what: string): void {
    this.#gaveUp.push(what);
  }

  count(name: string, by = 1): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + by;
  }

  /** What was found so far. */
  finding(skipped?: string): Finding {
    return {
      check: this.check,
      violations: this.#violations,
      skipped,
      fellBack: this.#fellBack,
      gaveUp: this.#gaveUp,
      counts: this.#counts,
    };
  }
}

/** A check that had nothing to look at. */
export function skipped(check: string, reason: string): Finding {
  return new FindingBuilder(check).finding(reason);
}

/** Why the checks of the log do not run on histories of real processes. */
export const noLog = "the log was not observed";
