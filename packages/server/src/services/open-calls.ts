/**
 * The calls that may last as long as a client likes: streams, and calls that wait in a queue. Each is
 * cleaned up in one place, whether its client goes away or the server stops; a server that stops tells
 * them so at once instead of letting them hold up the stop.
 */
import { etcdErrors } from "@holdfast/protocol";
import type { ServerCall } from "@holdfast/transport";
import { statusOf } from "./status.js";

/** Why an open call is over although the service did not end it. */
export type CallLoss = "client-gone" | "server-stopping";

type CleanUp = (loss: CallLoss) => void;

export class OpenCalls {
  readonly #calls = new Map<ServerCall, CleanUp>();
  #stopping = false;

  get size(): number {
    return this.#calls.size;
  }

  /** Counts a call in until `remove`; `cleanUp` runs if it is lost before that. */
  add(call: ServerCall, cleanUp: CleanUp): void {
    this.#calls.set(call, cleanUp);
    call.onCancel(() => this.#lose(call, "client-gone"));
    if (this.#stopping) this.#end(call);
  }

  /** The service ends the call itself. */
  remove(call: ServerCall): void {
    this.#calls.delete(call);
  }

  /** Ends every open call, and those still to come, as Unavailable: clients go elsewhere or come back. */
  stop(): void {
    this.#stopping = true;
    for (const call of [...this.#calls.keys()]) this.#end(call);
  }

  #end(call: ServerCall): void {
    this.#lose(call, "server-stopping");
    call.end(statusOf(etcdErrors.stopped));
  }

  #lose(call: ServerCall, loss: CallLoss): void {
    const cleanUp = this.#calls.get(call);
    this.#calls.delete(call);
    cleanUp?.(loss);
  }
}
