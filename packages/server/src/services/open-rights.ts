/**
 * The rights of what stays open: a watch, an Observe, a snapshot. Whoever loses the right meanwhile is not sent anything more,
 * and what is open ends, at the latest a second after the change (fault-model F48; stricter than etcd's WATCH-11).
 *
 * What nobody in particular has opened, while authentication was off, is not looked at: it goes on, as in etcd.
 */
import type { Action, Caller, Refusal } from "@holdfast/state-machine";
import type { Access } from "../access/access.js";
import type { ServerEnvironment } from "../environment.js";

/** Made by `OpenRights.hold`. */
export class OpenRight {
  readonly caller: Caller;
  readonly action: Action;
  readonly onWithdrawn: (refusal: Refusal) => void;
  /** The auth revision at which it was last found to be held. */
  heldAt = Number.NaN;
  isReleased = false;

  constructor(caller: Caller, action: Action, onWithdrawn: (refusal: Refusal) => void) {
    this.caller = caller;
    this.action = action;
    this.onWithdrawn = onWithdrawn;
  }
}

/** How many are looked at in one turn of the event loop. */
const sliceRights = 1_000;

export class OpenRights {
  readonly #access: Access;
  readonly #environment: ServerEnvironment;
  readonly #intervalMs: number;
  readonly #held = new Set<OpenRight>();
  #stopTimer: (() => void) | undefined;
  /** The auth revision at which all were found to be held. */
  #allHeldAt = Number.NaN;
  #isLooking = false;
  #withdrawnCount = 0;

  constructor(access: Access, environment: ServerEnvironment, intervalMs: number) {
    this.#access = access;
    this.#environment = environment;
    this.#intervalMs = intervalMs;
  }

  /** Rights that are held for something open. */
  get size(): number {
    return this.#held.size;
  }

  /** How many were withdrawn. */
  get withdrawnCount(): number {
    return this.#withdrawnCount;
  }

  /**
   * Holds the right of `caller`, who has just been found to have it, until `release`; undefined for nobody. `onWithdrawn` is
   * called once when it is lost, within this object's own turn or within `isHeld`, and has to end what is open.
   */
  hold(caller: Caller | undefined, action: Action, onWithdrawn: (refusal: Refusal) => void): OpenRight | undefined {
    if (caller === undefined) return undefined;
    const right = new OpenRight(caller, action, onWithdrawn);
    right.heldAt = this.#access.revision;
    this.#held.add(right);
    this.#stopTimer ??= this.#environment.every(this.#intervalMs, () => this.#look());
    return right;
  }

  release(right: OpenRight | undefined): void {
    if (right === undefined) return;
    right.isReleased = true;
    this.#held.delete(right);
    if (this.#held.size > 0) return;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  /**
   * Whether it is still held; to be asked before anything is sent. If it was until now, it is withdrawn. True for nobody's,
   * false for what was released or withdrawn before.
   */
  isHeld(right: OpenRight | undefined): boolean {
    if (right?.isReleased === true) return false;
    const { revision } = this.#access;
    if (right === undefined || right.heldAt === revision) return true;
    const refusal = this.#access.refusal(right.action, this.#access.asOfNow(right.caller));
    if (refusal === undefined) {
      // While authentication is off nothing is refused, which says nothing about the time when it is on again.
      if (this.#access.enabled) right.heldAt = revision;
      return true;
    }
    this.release(right);
    this.#withdrawnCount++;
    right.onWithdrawn(refusal);
    return false;
  }

  /** Looks at all, in slices, if users, roles or permissions have changed since it last did. */
  #look(): void {
    const { revision, enabled } = this.#access;
    if (this.#isLooking || !enabled || revision === this.#allHeldAt) return;
    this.#isLooking = true;
    this.#lookOn(this.#held.values(), revision);
  }

  /** What is added meanwhile comes at the end of `rest`, and what is released no more. */
  #lookOn(rest: IterableIterator<OpenRight>, revision: number): void {
    for (let looked = 0; looked < sliceRights; looked++) {
      const next = rest.next();
      if (next.done === true) {
        this.#isLooking = false;
        this.#allHeldAt = revision;
        return;
      }
      this.isHeld(next.value);
    }
    this.#environment.defer(() => this.#lookOn(rest, revision));
  }
}
