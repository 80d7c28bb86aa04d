/**
 * The budgets that a peer of one connection has for frames that cost us more than them: resets, SETTINGS, pings, empty
 * frames, and bytes that carry no message (fault model F28, F29, F33 to F36). Each method counts one event and says
 * whether the budget still holds; ending the connection is left to the caller.
 */
import type { TransportCounters } from "../counters.js";
import type { TransportLimits } from "../limits.js";

const MINUTE_MS = 60_000;
/** What one honest message may cost in frames around it: its window updates, pings, a late frame. */
const CREDIT_PER_MESSAGE_BYTES = 64;
/** One byte of overhead is allowed for 2^5 bytes of message (window updates, DATA frame headers). */
const MESSAGE_BYTES_PER_CREDIT_SHIFT = 5;

/** One per connection. */
export class AbuseGuard {
  readonly #limits: TransportLimits;
  readonly #counters: TransportCounters;
  #resetTokens: number;
  #resetTokensAtMs: number;
  #minuteStartMs: number;
  #settingsInMinute = 0;
  #overheadBytes = 0;
  #lastPingMs = Number.NEGATIVE_INFINITY;
  #pingStrikes = 0;
  /** DATA frames that have paid for a ping, or can no longer. */
  #dataFramesPaid = 0;
  /** Set by our own headers and data, which make pings of the peer honest again. */
  #pingsForgiven = false;

  constructor(limits: TransportLimits, counters: TransportCounters, nowMs: number) {
    this.#limits = limits;
    this.#counters = counters;
    this.#resetTokens = limits.resetBurst;
    this.#resetTokensAtMs = nowMs;
    this.#minuteStartMs = nowMs;
  }

  /** One reset, sent or received, of a stream that lived `ageMs` (F28, F29). */
  reset(nowMs: number, ageMs: number): boolean {
    const limits = this.#limits;
    if (ageMs >= limits.resetFreeAgeMs) return true;
    const refill = ((nowMs - this.#resetTokensAtMs) * limits.resetsPerSecond) / 1_000;
    this.#resetTokens = Math.min(limits.resetBurst, this.#resetTokens + refill) - 1;
    this.#resetTokensAtMs = nowMs;
    if (this.#resetTokens >= 0) return true;
    this.#counters.resetFloods++;
    return false;
  }

  /** One SETTINGS frame with `entryCount` entries, acknowledgements excepted (F33). */
  settings(nowMs: number, entryCount: number): boolean {
    this.#enterMinute(nowMs);
    this.#settingsInMinute++;
    const { settingsFramesPerMinute, settingsEntriesMax } = this.#limits;
    if (this.#settingsInMinute <= settingsFramesPerMinute && entryCount <= settingsEntriesMax) return true;
    this.#counters.settingsFloods++;
    return false;
  }

  /**
   * One PING of the peer (F34), judged like grpc-go does: what we send in between forgives all strikes. A client that
   * measures its bandwidth answers each DATA frame of a large response with a ping, many of them before we write again,
   * so each of the `dataFramesSent` pays for one.
   */
  ping(nowMs: number, hasStreams: boolean, dataFramesSent: number): boolean {
    const sinceLastMs = nowMs - this.#lastPingMs;
    this.#lastPingMs = nowMs;
    this.#dataFramesPaid = Math.max(this.#dataFramesPaid, dataFramesSent - this.#limits.pingsPaidByDataMax);
    if (this.#pingsForgiven || this.#dataFramesPaid < dataFramesSent) {
      if (!this.#pingsForgiven) this.#dataFramesPaid++;
      this.#pingsForgiven = false;
      this.#pingStrikes = 0;
      return true;
    }
    const floorMs = hasStreams ? this.#limits.pingFloorMs : this.#limits.pingFloorWithoutStreamsMs;
    if (sinceLastMs < floorMs) this.#pingStrikes++;
    if (this.#pingStrikes <= this.#limits.pingStrikesMax) return true;
    this.#counters.pingFloods++;
    return false;
  }

  /** We sent headers or data. */
  forgivePings(): void {
    this.#pingsForgiven = true;
  }

  /** The `countInStream`th frame without content of one stream (F35). */
  emptyFrame(countInStream: number): boolean {
    if (countInStream <= this.#limits.emptyFramesPerStreamMax) return true;
    this.#counters.emptyFrameFloods++;
    return false;
  }

  /** `byteCount` bytes that carried no message (F36). */
  overhead(nowMs: number, byteCount: number): boolean {
    this.#enterMinute(nowMs);
    this.#overheadBytes += byteCount;
    if (this.#overheadBytes <= this.#limits.overheadBytesPerMinute) return true;
    this.#counters.overheadFloods++;
    return false;
  }

  /** Honest traffic in either direction: pays for the overhead that comes with it. */
  message(byteCount: number): void {
    this.#overheadBytes -= CREDIT_PER_MESSAGE_BYTES + (byteCount >> MESSAGE_BYTES_PER_CREDIT_SHIFT);
  }

  #enterMinute(nowMs: number): void {
    if (nowMs - this.#minuteStartMs < MINUTE_MS) return;
    this.#minuteStartMs = nowMs;
    this.#settingsInMinute = 0;
    this.#overheadBytes = 0;
  }
}
