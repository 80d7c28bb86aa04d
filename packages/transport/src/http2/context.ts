/** What all connections of one server or client share. */
import type { TransportCounters } from "../counters.js";
import { newCounters } from "../counters.js";
import type { Clock } from "../environment.js";
import { KnownBlocks } from "../hpack/index.js";
import type { TransportLimits } from "../limits.js";
import { BufferPool } from "./buffer-pool.js";
import { FlushQueue } from "./flush-queue.js";
import { MessageMemory } from "./message-memory.js";
import { TurnQueue } from "./turn-queue.js";
import { UnsentBudget } from "./unsent-budget.js";

/** Something an operator may want to read. Never contains header values or message bytes. */
export interface TransportEvent {
  readonly level: "warn";
  /** One of a few dozen, so that each kind can be counted and held back. */
  readonly message: string;
  /** Address of the peer, or "" if the event concerns no single one. */
  readonly peer: string;
}

/** Takes events; must not throw. */
export type TransportLog = (event: TransportEvent) => void;

/** One per server or client. */
export class TransportContext {
  readonly clock: Clock;
  readonly limits: TransportLimits;
  readonly log: TransportLog;
  readonly counters: TransportCounters = newCounters();
  readonly pool = new BufferPool();
  readonly messages = new MessageMemory();
  readonly flushQueue = new FlushQueue();
  /** What requests or answers of all connections have in common. */
  readonly knownBlocks = new KnownBlocks();
  /** Connections whose turn is over. */
  readonly turns: TurnQueue;
  /** What waits for all peers. */
  readonly unsent: UnsentBudget;
  /** Streams open on all connections. */
  streamsOpen = 0;
  /** Bytes of unfinished messages held for all connections. */
  bufferedBytes = 0;

  constructor(clock: Clock, limits: TransportLimits, log: TransportLog) {
    this.clock = clock;
    this.limits = limits;
    this.log = log;
    this.turns = new TurnQueue(clock);
    this.unsent = new UnsentBudget(limits, this.counters, clock);
  }
}
