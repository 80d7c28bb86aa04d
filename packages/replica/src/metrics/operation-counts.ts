/** How many operations have been applied, those inside transactions included. Reads without a log entry are not seen here. */
import type { TxnResponse } from "@holdfast/protocol";
import type { Outcome } from "@holdfast/state-machine";

export class OperationCounts {
  puts = 0;
  /** Requests to delete, whatever they found, and keys that went with their lease. */
  deletes = 0;
  /** Transactions that did more than one thing. */
  transactions = 0;

  /** Counts a command by its outcome; `changeCount` is how many keys it changed. */
  count(outcome: Outcome, changeCount: number): void {
    switch (outcome.kind) {
      case "put":
        this.puts++;
        return;
      case "deleteRange":
        this.deletes++;
        return;
      case "txn":
        if (this.#countTransaction(outcome.response) > 1) this.transactions++;
        return;
      case "leaseRevoke":
      case "leaseExpire":
        this.deletes += changeCount;
    }
  }

  /** Returns how many operations were done. */
  #countTransaction({ responses }: TxnResponse): number {
    let done = 0;
    for (const { responsePut, responseDeleteRange, responseTxn } of responses) {
      if (responsePut !== undefined) this.puts++;
      else if (responseDeleteRange !== undefined) this.deletes++;
      done += responseTxn === undefined ? 1 : this.#countTransaction(responseTxn);
    }
    return done;
  }
}
