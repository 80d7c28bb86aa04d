/** Everything that was recorded in one run. The checks look at nothing else. */
import type { Call } from "./calls.js";
import type { Hold, ResourceWrite } from "./holds.js";
import type { Moment } from "./moment.js";
import type { WatchRecord } from "./watches.js";

/** An entry of the log, taken down when a server was first told that it is stored, or read it. */
export interface StoredEntry {
  readonly index: number;
  readonly epoch: number;
  readonly payload: Uint8Array;
  readonly at: Moment;
}

/** One life of a server: from start to end. */
export interface Life {
  /** From 1, unique in the history. */
  readonly number: number;
  readonly started: Moment;
  /** When it served; undefined if it never did. */
  serving: Moment | undefined;
  ended: Moment | undefined;
  /** `stopped`: of its own accord after a storage failure; `closed`: asked to. Undefined while it lives. */
  how: "killed" | "power-cut" | "stopped" | "closed" | "refused-to-start" | undefined;
  /** Why it stopped or did not start. */
  reason: string | undefined;
}

/** The state of a server's machine at an index, as a digest of all it holds (I10). */
export interface StateDigest {
  readonly life: number;
  readonly index: number;
  readonly digest: string;
}

/** Time in which a server did not run. Its leases must hardly notice (I6). */
export interface Stall {
  readonly fromMs: number;
  readonly toMs: number;
  /** Its clock stood still meanwhile, so that it cannot know (F12). */
  readonly clockStood?: boolean;
}

export interface History {
  readonly calls: readonly Call[];
  readonly watches: readonly WatchRecord[];
  readonly holds: readonly Hold[];
  readonly resourceWrites: readonly ResourceWrite[];
  /** Ascending by index. Entries that the log keeps for itself, such as the mark of a new owner, leave holes. Empty where the log could not be observed (real processes). */
  readonly entries: readonly StoredEntry[];
  readonly lives: readonly Life[];
  readonly digests: readonly StateDigest[];
  /** What the run ends with: read from the log once more, by a fresh server, after the last fault. */
  readonly finalEntries: readonly StoredEntry[];
  /** Where the final log begins, if a snapshot stands for what was before; else the index of its first entry. */
  readonly finalFirstIndex?: number;
  /** When the last fault was over and every server had been started: from then on progress is demanded (I14). */
  readonly healed?: Moment;
  /** Absent where nobody knows. */
  readonly stalls?: readonly Stall[];
  /** Why the log contradicted itself while it was observed: an entry told twice with different bytes, a hole. */
  readonly logContradictions: readonly string[];
}

/** Something that must not be. */
export interface Violation {
  /** The check that found it: C1 … C13, `linearizability`. */
  readonly check: string;
  /** The invariant it breaks: I1 … I14. */
  readonly invariant: string;
  readonly message: string;
}
