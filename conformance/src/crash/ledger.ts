// What every part of the workload shares: the highest revision anyone was told of, the number of acknowledged
// operations, and the difference between "not known" and "wrong".

import assert from "node:assert/strict";
import { type ServiceError, status } from "@grpc/grpc-js";
import { revisionOf } from "../client/etcd-client.js";
import type { Headed } from "../client/messages.js";

/** The record of one kill loop. */
export class Ledger {
  /** The highest revision any answer or event named. */
  highestRevision = 0;
  /** Acknowledged operations since the loop began. */
  acknowledged = 0;
  /** Operations whose outcome the caller was never told. */
  unknown = 0;
  #onAcknowledged: (acknowledged: number) => void = () => undefined;

  /** Calls `listener` with the running total whenever an operation is acknowledged. */
  whenAcknowledged(listener: (acknowledged: number) => void): void {
    this.#onAcknowledged = listener;
  }

  /** Notes an acknowledged operation and returns its revision. */
  acknowledge(answer: Headed): number {
    const revision = revisionOf(answer);
    this.observe(revision);
    this.acknowledged += 1;
    this.#onAcknowledged(this.acknowledged);
    return revision;
  }

  /** Notes a revision that somebody saw. */
  observe(revision: number): void {
    this.highestRevision = Math.max(this.highestRevision, revision);
  }
}

/**
 * Runs one step after another until the server goes away. Any error but "unavailable" is a failure of the server: it
 * claims to know that the operation had no effect, or something broke.
 */
export async function untilServerDies(ledger: Ledger, step: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await step();
    } catch (error) {
      const { code, message } = error as ServiceError;
      assert.equal(code, status.UNAVAILABLE, `a call failed other than by the server's death: ${message}`);
      ledger.unknown += 1;
      return;
    }
  }
}
