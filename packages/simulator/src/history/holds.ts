/** Holding a lock or an election, as the holder itself understood it, and what it wrote to the outside meanwhile. */
import type { Moment } from "./moment.js";

/** From a grant to the moment its holder let go, stopped trusting it, or died. */
export interface Hold {
  readonly client: string;
  /** Prefix of the queue: the name of the lock or election. */
  readonly name: string;
  readonly kind: "lock" | "election";
  /** The owner key, and the fencing token: its create revision (I5). */
  readonly key: string;
  readonly token: number;
  readonly lease: bigint;
  /** A careful holder counts from the sending of its last answered refresh and stops before its lease can end (I4c). */
  readonly careful: boolean;
  readonly from: Moment;
  until: Moment | undefined;
}

/** A write to a resource outside of the store, made in the belief of holding the lock. */
export interface ResourceWrite {
  readonly client: string;
  readonly name: string;
  readonly token: number;
  readonly at: Moment;
  /** Whether a resource that refuses tokens lower than the highest it has seen took it. */
  readonly accepted: boolean;
}
