/**
 * What is measured of locks and elections: who holds one since when, who waits, and how holds and waits ended.
 *
 * Counted are places: live keys in the layout of LOCK-1, whoever made them. So the Lock and Campaign calls, Go's
 * `concurrency.Mutex` and `Election`, and etcdctl count alike (LOCK-27), those that were there before a start included.
 * Ordinary keys under a name are no places, though a Lock call waits behind them too (LOCK-5); candidates of Node's
 * `etcd3` are none, because they write the lease in decimal (NODE-1). What the numbers are called outside is left to
 * the server.
 */
import type { ByteString } from "@holdfast/protocol";
import type { Command, KeyVersion, Outcome, StateMachine } from "@holdfast/state-machine";
import type { Environment } from "../environment.js";
import { Histogram, risingBounds } from "../metrics/histogram.js";
import { type KeyEnd, KeyEnds } from "./key-end.js";
import { leaseCharsMax, leasePartStart, type Place, PlaceLine, placePrefix } from "./place-line.js";

/**
 * Why a hold was lost. `lease_changed` is a key that was put anew under another lease or none: it may still block
 * others, but is no place any more.
 */
export type HoldLoss = Exclude<KeyEnd, "unlocked"> | "lease_changed";

/** Why a wait ended without the lock. `given_up` is the key deleted by name, as a caller does that stops waiting. */
export type WaitLoss = HoldLoss | "given_up";

const noLosses: Readonly<Record<HoldLoss, number>> = {
  lease_expired: 0,
  lease_revoked: 0,
  key_deleted: 0,
  lease_changed: 0,
};

/** That of a key without lease. */
const noLease = 0n;

/** Empty lines that are kept, and the longest name of one: a name may be as long as a request, and these are in no quota. */
const idleLinesMax = 10_000;
const idleNameBytesMax = 256;

/** Places that are remembered by the numbers of their keys; a power of two. */
const remembered = 4_096;

/** More changes than this of one command are taken in in slices (fault-model F14): nothing is decided by what is measured. */
const sliceChanges = 2_000;

interface Observation {
  readonly changes: readonly KeyVersion[];
  readonly command: Command;
  readonly outcome: Outcome;
  readonly nowMs: number;
  /** How many of the changes were taken in. */
  at: number;
}

export class LockMeter {
  /** From the making of a place to its being first, those who found the name free included; not waits begun unseen. */
  readonly waitSeconds = new Histogram(risingBounds(0.001, 4, 11));
  /** From being first to the end of the place, however it ended; holds begun unseen are left out. */
  readonly holdSeconds = new Histogram(risingBounds(0.001, 4, 13));
  readonly holdLosses: Record<HoldLoss, number> = { ...noLosses };
  readonly waitLosses: Record<WaitLoss, number> = { given_up: 0, ...noLosses };
  /** Times that the end of the first place made the next one the first. */
  handOvers = 0;
  readonly #machine: StateMachine;
  readonly #environment: Environment;
  /** Commands of very many changes, and what came behind them, that are still to be taken in. */
  readonly #backlog: Observation[] = [];
  /** Set while something of the backlog is taken in. */
  #backlogMs: number | undefined;
  /** Of the command being taken in, once somebody asked. */
  #ends: KeyEnds | undefined;
  #placeCount = 0;
  #heldCount = 0;
  /**
   * By prefix. Some are empty: the same names are locked again and again, and a map that gains and loses all its entries with
   * every batch of commands takes more time than all the rest of this.
   */
  readonly #lines = new Map<ByteString, PlaceLine>();
  /** Lines that were empty at some time; each is in here once. */
  readonly #idle: PlaceLine[] = [];
  /**
   * Places, living or gone, where the lowest bits of their keys' numbers point to. The same keys come and go, and to cut a prefix
   * off a key and look for its line costs several times as much.
   */
  readonly #remembered: (Place | undefined)[] = new Array(remembered).fill(undefined);
  /** How many places there are with so many characters of a lease. */
  readonly #leaseLengths = new Uint32Array(leaseCharsMax + 1);
  /** Lines with places that came or went by the command being taken in, if it has several changes; each is in here once. */
  readonly #touched: PlaceLine[] = [];
  /** When that happened which is being taken in, once somebody asked. */
  #happenedMs: number | undefined;

  /** Finds the places that `machine` has now. Since when they hold or wait nobody knows. */
  constructor(machine: StateMachine, environment: Environment) {
    this.#machine = machine;
    this.#environment = environment;
    for (const { leaseId, keys } of machine.leases()) {
      for (const key of keys) {
        const { createRevision } = machine.get(key) as KeyVersion;
        this.#join(key, createRevision, leaseId, false);
      }
    }
    for (const line of this.#lines.values()) line.holder = line.oldest;
  }

  /** Names that are held now. */
  get heldCount(): number {
    return this.#heldCount;
  }

  /** Places that are not the first of their names. */
  get waitingCount(): number {
    return this.#placeCount - this.#heldCount;
  }

  /**
   * Takes in the changes of the command just applied, which had this outcome: those of very many in slices, later, together
   * with what follows.
   */
  observe(changes: readonly KeyVersion[], command: Command, outcome: Outcome): void {
    if (this.#backlog.length > 0 || changes.length > sliceChanges) {
      this.#backlog.push({ changes, command, outcome, nowMs: this.#environment.nowMs(), at: 0 });
      if (this.#backlog.length === 1) this.#environment.defer(() => this.#slice());
      return;
    }
    // Where there is no lease there is no place, and none was.
    if (this.#placeCount === 0 && this.#machine.leaseCount === 0) return;
    if (changes.length === 1) {
      const line = this.#take(changes[0]!, command, outcome);
      if (line !== undefined) this.#settle(line);
    } else {
      for (const change of changes) this.#touch(this.#take(change, command, outcome));
      this.#settleTouched();
    }
  }

  #slice(): void {
    for (let left = sliceChanges, next = this.#backlog[0]; next !== undefined && left > 0; next = this.#backlog[0]) {
      const { changes, command, outcome } = next;
      this.#backlogMs = next.nowMs;
      for (; next.at < changes.length && left > 0; left--) {
        this.#touch(this.#take(changes[next.at++]!, command, outcome));
      }
      if (next.at < changes.length) break;
      this.#settleTouched();
      this.#backlog.shift();
    }
    this.#backlogMs = undefined;
    if (this.#backlog.length > 0) this.#environment.defer(() => this.#slice());
  }

  /** Takes in one change, and returns the line to which a place came or from which one went. */
  #take(change: KeyVersion, command: Command, outcome: Outcome): PlaceLine | undefined {
    const { key, version } = change;
    // Most keys are no places before and after, which must cost next to nothing. Leases are read and compared once: they are
    // whole numbers of any size.
    if (version === 0) return this.#takeDeletion(key, command, outcome);
    const { lease } = change;
    // What has just been made was none before.
    const place = version === 1 ? undefined : this.#find(key);
    if (place === undefined) return lease === noLease ? undefined : this.#join(key, change.createRevision, lease, true);
    // Put anew under the same lease, it is the same place (ELECT-25).
    return place.lease === lease ? undefined : this.#leave(place, "lease_changed");
  }

  #takeDeletion(key: ByteString, command: Command, outcome: Outcome): PlaceLine | undefined {
    const place = this.#find(key);
    if (place === undefined) return undefined;
    // Nearly all are given back by an Unlock, for which nothing need be made.
    if (command.kind === "deleteRange" && command.request.rangeEnd === "") return this.#leave(place, "unlocked");
    this.#ends ??= new KeyEnds(command, outcome);
    return this.#leave(place, this.#ends.of(key));
  }

  /** How many names are remembered: those with places, and free ones that are short (see `idleNameBytesMax`). */
  get nameCount(): number {
    return this.#lines.size;
  }

  /** The place of a key; most keys have none, which must cost next to nothing. */
  #find(key: ByteString): Place | undefined {
    if (this.#placeCount === 0) return undefined;
    const start = leasePartStart(key);
    if (start === -1 || this.#leaseLengths[key.length - start] === 0) return undefined;
    const known = this.#recall(key);
    if (known !== undefined && known.at !== -1) return known;
    return this.#lines.get(key.slice(0, start) as ByteString)?.find(key);
  }

  /** The last place of a key, which may have gone, if it is remembered. */
  #recall(key: ByteString): Place | undefined {
    const place = this.#remembered[this.#slotOf(key)];
    return place?.key === key ? place : undefined;
  }

  #remember(place: Place): void {
    if (place.key.length <= idleNameBytesMax) this.#remembered[this.#slotOf(place.key)] = place;
  }

  #slotOf(key: ByteString): number {
    return (this.#machine.keyNumber(key) ?? 0) & (remembered - 1);
  }

  /** When that happened which is being taken in. */
  #nowMs(): number {
    this.#happenedMs ??= this.#backlogMs ?? this.#environment.nowMs();
    return this.#happenedMs;
  }

  /** Makes a place for the key, if it has the layout of one; it may be one of unknown age. */
  #join(key: ByteString, createRevision: number, lease: bigint, isNew: boolean): PlaceLine | undefined {
    if (leasePartStart(key) === -1) return undefined;
    const before = this.#recall(key);
    const line = before?.line.isKnown === true && before.lease === lease ? before.line : this.#lineOf(key, lease);
    if (line === undefined) return undefined;
    this.#placeCount++;
    if (line.oldest === undefined) this.#heldCount++;
    const sinceMs = isNew ? this.#nowMs() : Number.NaN;
    if (before?.line === line && line.holder !== before) line.revive(before, createRevision, sinceMs);
    else this.#remember(line.add(key, createRevision, lease, sinceMs));
    this.#countLength(key, line.prefix, 1);
    return line;
  }

  /** The line that the key belongs to when it is attached to `lease`; undefined if it is no place then. */
  #lineOf(key: ByteString, lease: bigint): PlaceLine | undefined {
    const prefix = placePrefix(key, lease);
    if (prefix === undefined) return undefined;
    let line = this.#lines.get(prefix);
    if (line === undefined) {
      line = new PlaceLine(prefix);
      this.#lines.set(prefix, line);
    }
    return line;
  }

  #forget(line: PlaceLine): void {
    line.isKnown = false;
    this.#lines.delete(line.prefix);
  }

  #touch(line: PlaceLine | undefined): void {
    if (line === undefined || line.isTouched) return;
    line.isTouched = true;
    this.#touched.push(line);
  }

  #countLength(key: ByteString, prefix: ByteString, difference: 1 | -1): void {
    const length = key.length - prefix.length;
    this.#leaseLengths[length] = (this.#leaseLengths[length] as number) + difference;
  }

  #leave(place: Place, end: KeyEnd | "lease_changed"): PlaceLine {
    const { key, line, sinceMs } = place;
    line.remove(place);
    this.#placeCount--;
    if (line.oldest === undefined) this.#heldCount--;
    this.#countLength(key, line.prefix, -1);
    if (line.holder !== place) {
      this.waitLosses[end === "unlocked" ? "given_up" : end]++;
      return line;
    }
    if (!Number.isNaN(sinceMs)) this.holdSeconds.observe((this.#nowMs() - sinceMs) / 1_000);
    if (end !== "unlocked") this.holdLosses[end]++;
    return line;
  }

  #settleTouched(): void {
    if (this.#touched.length === 0) return;
    for (const line of this.#touched) {
      line.isTouched = false;
      this.#settle(line);
    }
    this.#touched.length = 0;
  }

  /** After all changes of a command, because only then it is known who is first. */
  #settle(line: PlaceLine): void {
    const { holder, oldest } = line;
    if (oldest === undefined) this.#letGo(line);
    else if (oldest !== holder) this.#promote(oldest, holder);
    this.#ends = undefined;
    this.#happenedMs = undefined;
  }

  /** An empty line is kept for the next one who wants its name, but not more than some of them. */
  #letGo(line: PlaceLine): void {
    line.holder = undefined;
    if (line.prefix.length > idleNameBytesMax) this.#forget(line);
    else this.#keepIdle(line);
  }

  #keepIdle(line: PlaceLine): void {
    if (line.isIdle) return;
    line.isIdle = true;
    this.#idle.push(line);
    if (this.#idle.length < idleLinesMax) return;
    for (const idle of this.#idle) {
      idle.isIdle = false;
      if (idle.oldest === undefined) this.#forget(idle);
    }
    this.#idle.length = 0;
  }

  /** The place is the first of its line now, instead of `holder`. */
  #promote(place: Place, holder: Place | undefined): void {
    const nowMs = this.#nowMs();
    if (!Number.isNaN(place.sinceMs)) this.waitSeconds.observe((nowMs - place.sinceMs) / 1_000);
    place.sinceMs = nowMs;
    place.line.holder = place;
    if (holder === undefined) return;
    if (holder.at === -1) this.handOvers++;
    // It lives: an older key has become a place. What it did until now was neither holding nor waiting.
    else holder.sinceMs = Number.NaN;
  }
}
