/**
 * Election.Observe: the present leader's pair, then every PUT on it, then the next leader's (ELECT-23 to
 * ELECT-30). A leader that is deleted is not announced; the next one is.
 *
 * Follows one watcher at a time: the leader's key while there is a leader, the whole prefix while there
 * is none.
 */
import { type ByteString, emptyByteString, encodeSharedLeaderResponse, type KeyValue } from "@holdfast/protocol";
import { type CatchUpResponse, prefixEnd, type SharedEvent, type WatchConsumer, type Watcher } from "@holdfast/replica";
import type { Caller, KeyVersion, Refusal } from "@holdfast/state-machine";
import type { ServerCall } from "@holdfast/transport";
import { invalidToken, invalidTokenStatus } from "../access/access.js";
import type { ServiceContext } from "./context.js";
import type { OpenRight } from "./open-rights.js";
import { prefixOf, readingAll } from "./ownership.js";
import { asUnknown, okStatus, statusOfRefusal } from "./status.js";

/** Answers an Observe call until the client goes away. */
export function observe(name: ByteString, call: ServerCall, context: ServiceContext): void {
  const caller = context.access.identify(call);
  if (caller === invalidToken) call.end(asUnknown(invalidTokenStatus));
  else new Observer(prefixOf(name), call, context, caller).start();
}

class Observer implements WatchConsumer {
  readonly #prefix: ByteString;
  readonly #call: ServerCall;
  readonly #context: ServiceContext;
  readonly #caller: Caller | undefined;
  #watcher: Watcher | undefined;
  #right: OpenRight | undefined;
  /** The key being followed; undefined while there is no leader. */
  #leader: ByteString | undefined;

  constructor(prefix: ByteString, call: ServerCall, context: ServiceContext, caller: Caller | undefined) {
    this.#prefix = prefix;
    this.#call = call;
    this.#context = context;
    this.#caller = caller;
  }

  get congested(): boolean {
    return this.#call.congested;
  }

  start(): void {
    const { watches } = this.#context.replica;
    // As the caller came: lifted to the present revision, a token that a change has voided would be good again (AUTH-11).
    if (this.#isRefused(this.#caller)) return;
    this.#call.sendHeaders();
    this.#context.openCalls.add(this.#call, () => this.#close());
    const { openRights } = this.#context;
    this.#right = openRights.hold(this.#caller, readingAll(this.#prefix), (refusal) => this.#refuse(refusal));
    this.#call.onDrain(() => {
      if (this.#watcher !== undefined) watches.drained([this.#watcher]);
    });
    this.#look();
  }

  events(watcher: Watcher, events: readonly SharedEvent[]): void {
    this.#follow(
      watcher,
      events.map(({ version }) => version),
    );
  }

  #follow(watcher: Watcher, versions: readonly KeyVersion[]): void {
    if (!this.#context.openRights.isHeld(this.#right)) return;
    for (const version of versions) {
      if (version.version > 0) {
        this.#leader ??= version.key;
        if (version.key === this.#leader) this.#send(version, version.modRevision);
      } else if (version.key === this.#leader) {
        // The leader's own deletion: look again, from the present on (ELECT-26).
        if (!this.#isRefused(this.#context.access.asOfNow(this.#caller))) this.#look();
        return;
      }
    }
    const last = versions.at(-1);
    if (watcher.isSingleKey || this.#leader === undefined || last === undefined) return;
    // Its events up to here were among those of the prefix; they may have ended with its deletion (TXN-11).
    this.#watch(this.#leader, emptyByteString, last.modRevision + 1);
  }

  catchUp(watcher: Watcher): CatchUpResponse {
    const versions: KeyVersion[] = [];
    return {
      add: (version) => void versions.push(version),
      pause: () => {},
      send: () => this.#follow(watcher, versions),
    };
  }

  /** The history before the watcher's place is gone: the stream ends well (ELECT-30). */
  compacted(): void {
    this.#watcher = undefined;
    this.#close();
    this.#context.openCalls.remove(this.#call);
    this.#call.end(okStatus);
  }

  /** Each look at the candidates takes the right to see them all. Ends the call without it; true if it did. */
  #isRefused(caller: Caller | undefined): boolean {
    const { access } = this.#context;
    const refusal = access.enabled ? access.refusal(readingAll(this.#prefix), caller) : undefined;
    if (refusal === undefined) return false;
    this.#refuse(refusal);
    return true;
  }

  #refuse(refusal: Refusal): void {
    this.#close();
    this.#context.openCalls.remove(this.#call);
    this.#call.end(asUnknown(statusOfRefusal(refusal)));
  }

  #close(): void {
    this.#unwatch();
    this.#context.openRights.release(this.#right);
  }

  /** Sends whoever leads now and follows it, or waits for the first candidate (ELECT-23, ELECT-24). */
  #look(): void {
    this.#unwatch();
    this.#context.replica.locks.askOldest(this.#prefix, (leader) => {
      if (!this.#call.ended) this.#found(leader);
    });
  }

  #found(leader: KeyValue | undefined): void {
    const nextRevision = this.#context.replica.machine.revision + 1;
    this.#leader = leader?.key;
    if (leader === undefined) {
      this.#watch(this.#prefix, prefixEnd(this.#prefix), nextRevision);
      return;
    }
    this.#send(leader, nextRevision - 1);
    this.#watch(leader.key, emptyByteString, nextRevision);
  }

  #watch(key: ByteString, rangeEnd: ByteString, startRevision: number): void {
    this.#unwatch();
    // The call may have been lost with what was just sent.
    if (this.#call.ended) return;
    const options = { key, rangeEnd, startRevision, dropPuts: false, dropDeletes: false, consumer: this };
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
