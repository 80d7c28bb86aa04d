/** Holding a lock or an election, as the holder understands it: from the grant until it lets go, stops trusting it, or dies. */
import type { Hold } from "../history/holds.js";
import type { Moment } from "../history/moment.js";
import type { Actor } from "./actor.js";
import type { LeaseKeeper } from "./lease-keeper.js";

/** What was granted. */
export type Grant = Pick<Hold, "name" | "kind" | "key" | "token" | "from">;

export class Tenure {
  readonly #actor: Actor;
  readonly #lease: LeaseKeeper;
  readonly #hold: Hold;
  /** The last moment at which the holder looked and might still trust its lease. */
  #sure: Moment;

  /** Begins a hold, unless it is a careful holder's and its lease cannot be trusted any more. */
  static begin(actor: Actor, lease: LeaseKeeper, grant: Grant, careful: boolean): Tenure | undefined {
    if (careful && !lease.trusted) return undefined;
    return new Tenure(actor, lease, { ...grant, client: actor.name, lease: lease.id, careful, until: undefined });
  }

  private constructor(actor: Actor, lease: LeaseKeeper, hold: Hold) {
    this.#actor = actor;
    this.#lease = lease;
    this.#hold = hold;
    this.#sure = actor.scene.recorder.moment();
    actor.scene.recorder.holds.push(hold);
    actor.onKilled(() => this.end());
    if (hold.careful) this.#lookJustInTime();
  }

  get token(): number {
    return this.#hold.token;
  }

  /** Whether the holder still believes that it holds. A careful one looks at its clock; a careless one always does. */
  holds(): boolean {
    if (this.#hold.until !== undefined) return false;
    if (!this.#hold.careful) return true;
    if (this.#lease.trusted) {
      this.#sure = this.#actor.scene.recorder.moment();
      return true;
    }
    // It may have slept over the end: it has done nothing since it was last sure.
    this.#hold.until = this.#sure;
    return false;
  }

  /** Writes to the outside resource, in the same breath in which it looked. Returns false if the holder knows better. */
  write(): boolean {
    if (!this.holds()) return false;
    this.#actor.scene.resource.write(this.#actor.name, this.#hold.name, this.#hold.token);
    return true;
  }

  /** The holder lets go now. */
  end(): void {
    if (this.holds()) this.#hold.until = this.#actor.scene.recorder.moment();
  }

  /** Looks once more as late as can be, so that the record of the hold goes to its very end. */
  #lookJustInTime(): void {
    const { clock } = this.#actor.party;
    const dueMs = this.#lease.trustedUntilMs;
    clock.after(Math.max(1, dueMs - clock.nowMs() - 1), () => {
      if (!this.holds()) return;
      this.#lookJustInTime();
    });
  }
}
