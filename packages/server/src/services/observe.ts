/**
 * Election.Observe: the present leader's pair, then every PUT on it, then the next leader's (ELECT-23 to
 * ELECT-30). A leader that is deleted is not announced; the next one is.
 *
 * Follows one watcher at a time: the leader's key while there is a leader, the whole prefix while there
 * is none.
 */
import { type ByteString, emptyByteString, encodeSharedLeaderResponse, type KeyValue } from "@holdfast/protocol";
import { prefixEnd, type SharedEvent, type WatchConsumer, type Watcher } from "@holdfast/replica";
import type { ServerCall } from "@holdfast/transport";
import type { ServiceContext } from "./context.js";
import { prefixOf } from "./ownership.js";
import { okStatus } from "./status.js";

/** Answers an Observe call until the client goes away. */
export function observe(name: ByteString, call: ServerCall, context: ServiceContext): void {
  new Observer(prefixOf(name), call, context).start();
}

class Observer implements WatchConsumer {
  readonly #prefix: ByteString;
  readonly #call: ServerCall;
  readonly #context: ServiceContext;
  #watcher: Watcher | undefined;
  /** The key being followed; undefined while there is no leader. */
  #leader: ByteString | undefined;

  constructor(prefix: ByteString, call: ServerCall, context: ServiceContext) {
    this.#prefix = prefix;
    this.#call = call;
    this.#context = context;
  }

  get congested(): boolean {
    return this.#call.congested;
  }

  start(): void {
    const { watches } = this.#context.replica;
    this.#call.sendHeaders();
    this.#context.openCalls.add(this.#call, () => this.#unwatch());
    this.#call.onDrain(() => {
      if (this.#watcher !== undefined) watches.drained([this.#watcher]);
    });
    this.#look();
  }

  events(_watcher: Watcher, events: readonly SharedEvent[]): void {
    for (const { version } of events) {
      if (version.version === 0) {
        // Only the leader's own deletion reaches us: look again, from the present on (ELECT-26).
        this.#look();
        return;
      }
      this.#send(version, version.modRevision);
      if (this.#leader === undefined) {
        this.#follow(version.key, version.modRevision + 1);
        return;
      }
    }
  }

  /** The history before the watcher's place is gone: the stream ends well (ELECT-30). */
  compacted(): void {
    this.#watcher = undefined;
    this.#context.openCalls.remove(this.#call);
    this.#call.end(okStatus);
  }

  /** Sends whoever leads now and follows it, or waits for the first candidate (ELECT-23, ELECT-24). */
  #look(): void {
    const { locks, machine } = this.#context.replica;
    const leader = locks.oldest(this.#prefix);
    if (leader === undefined) {
      this.#leader = undefined;
      this.#watch(this.#prefix, prefixEnd(this.#prefix), machine.revision + 1, true);
      return;
    }
    this.#send(leader, machine.revision);
    this.#follow(leader.key, machine.revision + 1);
  }

  #follow(key: ByteString, fromRevision: number): void {
    this.#leader = key;
    this.#watch(key, emptyByteString, fromRevision, false);
  }

  #watch(key: ByteString, rangeEnd: ByteString, startRevision: number, dropDeletes: boolean): void {
    this.#unwatch();
    // The call may have been lost with what was just sent.
    if (this.#call.ended) return;
    const options = { key, rangeEnd, startRevision, dropPuts: false, dropDeletes, consumer: this };
    this.#watcher = this.#context.replica.watches.watch(options);
  }

  #unwatch(): void {
    if (this.#watcher !== undefined) this.#context.replica.watches.remove(this.#watcher);
    this.#watcher = undefined;
  }

  #send(kv: KeyValue, revision: number): void {
    this.#call.send(encodeSharedLeaderResponse({ header: this.#context.header(revision), kv }));
  }
}
