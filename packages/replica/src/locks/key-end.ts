/** Why a key went: told from the command that deleted it, because a deletion itself does not say. */
import type { ByteString, RequestOp, ResponseOp } from "@holdfast/protocol";
import type { Command, Outcome } from "@holdfast/state-machine";

/** `unlocked` is the key deleted by itself, by name: how a lock is given back. */
export type KeyEnd = "unlocked" | "lease_expired" | "lease_revoked" | "key_deleted";

/** The reasons of one command, which had this outcome, for all keys that it deleted. */
export class KeyEnds {
  readonly #command: Command;
  readonly #outcome: Outcome;
  /** What a transaction deleted by name; made when first asked for. */
  #named: ReadonlySet<ByteString> | undefined;

  constructor(command: Command, outcome: Outcome) {
    this.#command = command;
    this.#outcome = outcome;
  }

  /** Why `key`, which the command deleted, went. */
  of(key: ByteString): KeyEnd {
    switch (this.#command.kind) {
      case "leaseExpire":
        return "lease_expired";
      case "leaseRevoke":
        return "lease_revoked";
      case "deleteRange":
        return this.#command.request.rangeEnd === "" ? "unlocked" : "key_deleted";
      default:
        this.#named ??= deletedByName(this.#command, this.#outcome);
        return this.#named.has(key) ? "unlocked" : "key_deleted";
    }
  }
}

function deletedByName(command: Command, outcome: Outcome): ReadonlySet<ByteString> {
  const named = new Set<ByteString>();
  if (command.kind !== "txn" || outcome.kind !== "txn") return named;
  const { request } = command;
  const { response } = outcome;
  collectNamed(response.succeeded ? request.success : request.failure, response.responses, named);
  return named;
}

/** Adds what these operations, whose answers tell which branches were taken, delete by name. */
function collectNamed(operations: readonly RequestOp[], answers: readonly ResponseOp[], named: Set<ByteString>): void {
  operations.forEach(({ requestDeleteRange, requestTxn }, at) => {
    if (requestDeleteRange?.rangeEnd === "") named.add(requestDeleteRange.key);
    const inner = answers[at]?.responseTxn;
    if (requestTxn === undefined || inner === undefined) return;
    collectNamed(inner.succeeded ? requestTxn.success : requestTxn.failure, inner.responses, named);
  });
}
