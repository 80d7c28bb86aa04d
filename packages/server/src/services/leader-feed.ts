/**
 * Tells many observers of one election the same: who leads is followed once, encoded once, and handed round in a turn of its
 * own, so that the new leader, whom everybody waits for, hears first.
 *
 * Each observer is a cursor into what is being told: it joins at the end, and whoever does not read leaves with what he has
 * been told last and goes on for himself (`observe.ts`), so that nothing is kept for him here.
 */
import { type ByteString, encodeLeaderResponse, type KeyValue } from "@holdfast/protocol";
import type { ServiceContext } from "./context.js";
import { type LeaderListener, LeaderWatch } from "./leader-watch.js";

/** One thing to tell. */
export interface LeaderNews {
  /** The response; undefined when a leader has gone and nobody leads. */
  readonly response: Uint8Array | undefined;
  readonly leader: ByteString | undefined;
  /** Everything before this revision is told with it. */
  readonly nextRevision: number;
  /** Whether it was found by a look at the candidates, which takes the right to see them. */
  readonly isFound: boolean;
}

/** Who is told. */
export interface FeedMember {
  /** How much of the feed it was told, counted from the feed's beginning. Owned by the feed. */
  toldUpTo: number;
  /** Tells it. False if it can take no more, or has left: then it is no member any more. */
  tell(news: LeaderNews): boolean;
  /** It is over, without having left: the history was compacted away (ELECT-30). */
  compacted(): void;
}

/** How many members are told in one turn of the event loop, and with how many bytes no further one is. */
const sliceMembers = 1_000;
const sliceBytes = 4 * 1024 * 1024;
/** With more bytes than this still to be told no more is taken in: the watch reads it from the history later. */
const waitingBytesMax = 4 * 1024 * 1024;

export class LeaderFeed implements LeaderListener {
  readonly #context: ServiceContext;
  readonly #prefix: ByteString;
  readonly #closed: () => void;
  readonly #watch: LeaderWatch;
  readonly #members = new Set<FeedMember>();
  /** What has not been told to all, and how much was before it. */
  #news: LeaderNews[] = [];
  #newsStart = 0;
  #waitingBytes = 0;
  /** The members still to be told in this round, and up to where. */
  #round: Iterator<FeedMember> | undefined;
  #roundEnd = 0;
  #isScheduled = false;
  /** Nothing more will come. */
  #isOver = false;

  /** Follows `leader` (undefined: nobody) from the present revision on. `closed` is called when nobody is left to be told. */
  constructor(context: ServiceContext, prefix: ByteString, leader: ByteString | undefined, closed: () => void) {
    this.#context = context;
    this.#prefix = prefix;
    this.#closed = closed;
    this.#watch = new LeaderWatch(context, prefix, this);
    this.#watch.follow(leader, context.replica.machine.revision + 1);
  }

  get congested(): boolean {
    return this.#waitingBytes > waitingBytesMax;
  }

  /** Whether it follows this leader (undefined: nobody) and has come to the present. */
  isAtPresentWith(leader: ByteString | undefined): boolean {
    return this.#watch.isAtPresentWith(leader);
  }

  /** Tells `member` what comes from now on. */
  join(member: FeedMember): void {
    member.toldUpTo = this.#newsStart + this.#news.length;
    this.#members.add(member);
  }

  /** Tells `member` nothing more. */
  leave(member: FeedMember): void {
    if (this.#members.delete(member) && this.#members.size === 0) this.#close();
  }

  put(kv: KeyValue, revision: number): void {
    this.#add(kv, revision, false);
  }

  leaderGone(): void {
    this.#context.replica.locks.askOldest(this.#prefix, (leader) => {
      if (this.#members.size === 0 || this.#isOver) return;
      const { revision } = this.#context.replica.machine;
      this.#watch.follow(leader?.key, revision + 1);
      this.#add(leader, revision, true);
    });
  }

  /** What there is to tell was before the history that is gone, and is told first. Who joins from now on joins another feed. */
  compacted(): void {
    this.#isOver = true;
    this.#watch.close();
    this.#closed();
    if (this.#news.length === 0) this.#end();
  }

  #add(kv: KeyValue | undefined, revision: number, isFound: boolean): void {
    const header = this.#context.header(revision);
    const response = kv === undefined ? undefined : encodeLeaderResponse({ header, kv });
    this.#news.push({ response, leader: kv?.key, nextRevision: revision + 1, isFound });
    this.#waitingBytes += response?.length ?? 0;
    this.#schedule();
  }

  #close(): void {
    this.#watch.close();
    this.#news = [];
    this.#closed();
  }

  #end(): void {
    const members = [...this.#members];
    this.#members.clear();
    for (const member of members) member.compacted();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#context.environment.defer(() => {
      this.#isScheduled = false;
      this.#tellSome();
      if (this.#news.length > 0) this.#schedule();
    });
  }

  /** Goes on with the round, or begins one with all that there is to tell; after it, that need not be kept. */
  #tellSome(): void {
    if (this.#round === undefined) {
      this.#round = this.#members.values();
      this.#roundEnd = this.#newsStart + this.#news.length;
    }
    let bytes = 0;
    for (let told = 0; told < sliceMembers && bytes < sliceBytes; told++) {
      const next = this.#round.next();
      if (next.done === true) {
        this.#endRound();
        return;
      }
      bytes += this.#tell(next.value);
    }
  }

  #endRound(): void {
    this.#round = undefined;
    const told = this.#news.splice(0, this.#roundEnd - this.#newsStart);
    this.#newsStart = this.#roundEnd;
    const wasCongested = this.congested;
    for (const { response } of told) this.#waitingBytes -= response?.length ?? 0;
    if (this.#isOver && this.#news.length === 0) this.#end();
    else if (wasCongested && !this.congested) this.#watch.drained();
  }

  /** Returns how many bytes that were. */
  #tell(member: FeedMember): number {
    let bytes = 0;
    while (member.toldUpTo < this.#roundEnd) {
      const news = this.#news[member.toldUpTo - this.#newsStart] as LeaderNews;
      if (!member.tell(news)) {
        this.leave(member);
        break;
      }
      member.toldUpTo += 1;
      bytes += news.response?.length ?? 0;
    }
    return bytes;
  }
}

/** The feeds of all elections that are observed, by the prefix of their keys. */
export class LeaderFeeds {
  readonly #context: ServiceContext;
  readonly #feeds = new Map<ByteString, LeaderFeed>();

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#feeds.size;
  }

  /**
   * Has `member` told what follows after `leader` (undefined: nobody) was found leading the election, at the present revision.
   * Undefined if those who are told together follow somebody else, or have not come so far yet.
   */
  join(prefix: ByteString, leader: ByteString | undefined, member: FeedMember): LeaderFeed | undefined {
    const known = this.#feeds.get(prefix);
    if (known !== undefined && !known.isAtPresentWith(leader)) return undefined;
    const feed = known ?? this.#open(prefix, leader);
    feed.join(member);
    return feed;
  }

  #open(prefix: ByteString, leader: ByteString | undefined): LeaderFeed {
    const feed = new LeaderFeed(this.#context, prefix, leader, () => {
      if (this.#feeds.get(prefix) === feed) this.#feeds.delete(prefix);
    });
    this.#feeds.set(prefix, feed);
    return feed;
  }
}
