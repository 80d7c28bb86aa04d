/** What the tests of the checks share. */
import assert from "node:assert/strict";
import type { ByteString } from "@holdfast/protocol";
import { allChecks, Evidence } from "../checks/index.js";
import type { Moment } from "../history/moment.js";
import type { DraftHistory } from "./history-maker.js";

export const key = (text: string): ByteString => text as ByteString;
export const bytes = (text: string): Uint8Array => Buffer.from(text);

/** A moment between two that were taken by a maker; its time is its order. */
export function momentAt(order: number, ms = order): Moment {
  return { ms, order };
}

/** The history as one of real processes: without its log. */
export function withoutLog(history: DraftHistory): DraftHistory {
  return { ...history, entries: [], finalEntries: [] };
}

/** The check finds nothing wrong, and did look. */
export function assertRight(check: keyof typeof allChecks, history: DraftHistory): void {
  const { violations, skipped, gaveUp } = allChecks[check](new Evidence(history));
  assert.deepEqual({ violations, skipped, gaveUp }, { violations: [], skipped: undefined, gaveUp: [] });
}

/** The check finds something that breaks the invariant, with these words. */
export function assertFound(
  check: keyof typeof allChecks,
  history: DraftHistory,
  invariant: string,
  words: RegExp,
): void {
  const { violations } = allChecks[check](new Evidence(history));
  const found = violations.some((violation) => violation.invariant === invariant && words.test(violation.message));
  assert.ok(found, `${check} should find ${invariant} ${words} in: ${JSON.stringify(violations, undefined, 1)}`);
}
