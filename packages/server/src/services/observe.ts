/**
 * Election.Observe: the present leader's pair, then every PUT on it, then the next leader's (ELECT-23 to
 * ELECT-30). A leader that is deleted is not announced; the next one is.
 *
 * Observers of one election are told together (`leader-feed.ts`). One that does not read is on its own, with a watcher at the
 * place in the history that it has come to, until it has come to the next leader.
 */
import { type ByteString, encodeSharedLeaderResponse, type KeyValue } from "@holdfast/protocol";
import type { Caller, Refusal } from "@holdfast/state-machine";
import type { ServerCall } from "@holdfast/transport";
import { invalidToken, invalidTokenStatus } from "../access/access.js";
import type { ServiceContext } from "./context.js";
import type { FeedMember, LeaderFeed, LeaderFeeds, LeaderNews } from "./leader-feed.js";
import { type LeaderListener, LeaderWatch } from "./leader-watch.js";
import type { OpenRight } from "./open-rights.js";
import { prefixOf, readingAll } from "./ownership.js";
import { asUnknown, okStatus, statusOfRefusal } from "./status.js";

/** Answers an Observe call until the client goes away. */
export function observe(name: ByteString, call: ServerCall, context: ServiceContext, feeds: LeaderFeeds): void {
  const caller = context.access.identify(call);
  if (caller === invalidToken) call.end(asUnknown(invalidTokenStatus));
  else new Observer(prefixOf(name), call, context, feeds, caller).start();
}

class Observer implements FeedMember, LeaderListener {
  toldUpTo = 0;
  readonly #prefix: ByteString;
  readonly #call: ServerCall;
  readonly #context: ServiceContext;
  readonly #feeds: LeaderFeeds;
  readonly #caller: Caller | undefined;
  #right: OpenRight | undefined;
  /** Where it is told together with others. */
  #feed: LeaderFeed | undefined;
  /** What it follows on its own. */
  #watch: LeaderWatch | undefined;
  /** Who leads as far as it was told, and from which revision on it was told nothing. */
  #leader: ByteString | undefined;
  #nextRevision = 0;
  /** What it has found out by itself. Within one revision its own watcher may be told before that of the feed it then joins. */
  #lookedUpTo = 0;
  /** Nobody is followed: who leads is to be looked up once the call can take it. */
  #isLookDue = false;

  constructor(
    prefix: ByteString,
    call: ServerCall,
    context: ServiceContext,
    feeds: LeaderFeeds,
    caller: Caller | undefined,
  ) {
    this.#prefix = prefix;
    this.#call = call;
    this.#context = context;
    this.#feeds = feeds;
    this.#caller = caller;
  }

  get congested(): boolean {
    return this.#call.congested;
  }

  start(): void {
    // As the caller came: lifted to the present revision, a token that a change has voided would be good again (AUTH-11).
    if (this.#isRefused(this.#caller)) return;
    this.#call.sendHeaders();
    this.#context.openCalls.add(this.#call, () => this.#close());
    const { openRights } = this.#context;
    this.#right = openRights.hold(this.#caller, readingAll(this.#prefix), (refusal) => this.#refuse(refusal));
    this.#call.onDrain(() => this.#drained());
    this.#look();
  }

  tell({ response, leader, nextRevision, isFound }: LeaderNews): boolean {
    if (nextRevision <= this.#lookedUpTo) return this.#mayBeTold(isFound);
    if (this.#call.congested) {
      this.#leaveFeed(isFound);
      return false;
    }
    if (!this.#mayBeTold(isFound)) return false;
    this.#leader = leader;
    this.#nextRevision = nextRevision;
    if (response !== undefined) this.#call.send(response);
    return !this.#call.ended;
  }

  put(kv: KeyValue, revision: number): void {
    if (this.#mayBeTold(false)) this.#send(kv, revision);
  }

  leaderGone(): void {
    // Look again, from the present on (ELECT-26).
    if (this.#mayBeTold(true)) this.#look();
  }

  /** The history before the watcher's place is gone: the stream ends well (ELECT-30). */
  compacted(): void {
    this.#close();
    this.#context.openCalls.remove(this.#call);
    this.#call.end(okStatus);
  }

  /** Ends the call if its caller has lost the right to be told; each look at the candidates takes the right to see them all. */
  #mayBeTold(isFound: boolean): boolean {
    const { access, openRights } = this.#context;
    if (!openRights.isHeld(this.#right)) return false;
    return !isFound || !access.enabled || !this.#isRefused(access.asOfNow(this.#caller));
  }

  /** Ends the call without the right to see all candidates; true if it did. */
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

  #unwatch(): void {
    this.#feed?.leave(this);
    this.#feed = undefined;
    this.#watch?.close();
    this.#watch = undefined;
  }

  /** Sends whoever leads now and follows it, or waits for the first candidate (ELECT-23, ELECT-24). */
  #look(): void {
    this.#unwatch();
    this.#isLookDue = false;
    this.#context.replica.locks.askOldest(this.#prefix, (leader) => {
      if (!this.#call.ended) this.#found(leader);
    });
  }

  #found(leader: KeyValue | undefined): void {
    const { revision } = this.#context.replica.machine;
    if (leader !== undefined) this.#send(leader, revision);
    // The call may have been lost with what was just sent.
    if (this.#call.ended) return;
    this.#leader = leader?.key;
    this.#nextRevision = revision + 1;
    this.#lookedUpTo = this.#nextRevision;
    this.#feed = this.#feeds.join(this.#prefix, this.#leader, this);
    if (this.#feed === undefined) this.#goOnAlone();
  }

  #drained(): void {
    if (this.#isLookDue) this.#look();
    else this.#watch?.drained();
  }

  /** For now it can be told no more with the others. */
  #leaveFeed(isFound: boolean): void {
    if (!isFound) {
      this.#goOnAlone();
      return;
    }
    // Whoever led has gone, and all of it was told. That key's deletion may lie before the cursor, in the revision of its
    // last value (TXN-11): whoever followed it further would wait for ever.
    this.#feed = undefined;
    this.#isLookDue = true;
  }

  /** Follows the leader from where it was told last, be that now or behind. */
  #goOnAlone(): void {
    this.#feed = undefined;
    this.#watch = new LeaderWatch(this.#context, this.#prefix, this);
    this.#watch.follow(this.#leader, this.#nextRevision);
  }

  #send(kv: KeyValue, revision: number): void {
    this.#call.send(encodeSharedLeaderResponse({ header: this.#context.header(revision), kv }));
  }
}
