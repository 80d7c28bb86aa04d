/**
 * What a workload is: one line of the table, measured in interleaved rounds on each server. The runner knows nothing of
 * what a workload does; the code of its rounds knows nothing of tables, goals or the other server.
 */
import type { Launch } from "./servers/launch.js";
import type { Server, StartOptions } from "./servers/server.js";

/** What Holdfast's figure divided by etcd's shall be. */
export interface Goal {
  readonly ratio: number;
  readonly sense: "at least" | "at most";
  /** Holdfast's own figure shall be that instead, whatever etcd's is: where the figure is a ratio itself. */
  readonly isOfOwnFigure?: boolean;
  /** And no turn of Holdfast's event loop shall take longer. */
  readonly longestTurnMsMax?: number;
}

/** One line of the table. */
export interface Workload {
  /** As in the table: `put 10×100`. */
  readonly name: string;
  /** What `--only` selects, with the name: `put`. */
  readonly group: string;
  /** The unit of the figure: `calls/s`, `ms`, `bytes/key`. */
  readonly unit: string;
  readonly goal: Goal;
  /** Driven by h2load: skipped, by name, on a machine that has none. */
  readonly needsH2load?: boolean;
  /** Left out unless `--full` is given, since it takes minutes. */
  readonly isLong?: boolean;
  /** Rounds at most, where one takes long; without it, as many as are asked for. */
  readonly roundsMax?: number;
  /** Measured on Holdfast alone: its figure is compared with itself. */
  readonly isHoldfastAlone?: boolean;
  /** Prepares rounds on one server; where a round does not start a server of its own, starts one and warms it up. */
  open(bench: Bench): Promise<Load>;
}

/** What the runner hands to a workload: one server to be measured, and for how long. */
export interface Bench {
  readonly launch: Launch;
  /** An empty folder on a real disk, of this workload and this server alone. */
  readonly folder: string;
  /** How long one round shall load the server, in seconds. */
  readonly seconds: number;
  /** Smaller sizes for a first look. */
  readonly isQuick: boolean;
  /** Starts the server of `launch` on a folder below `folder`; the runner stops it if the workload does not. */
  start(options?: StartOptions): Promise<Server>;
}

/** A workload that is ready on one server. */
export interface Load {
  /** One round. Rejects when any answer is not what was asked for. */
  round(): Promise<Sample>;
  /** Ends connections and whatever else is the workload's own. */
  close(): Promise<void>;
}

/** The figures of one round. */
export interface Sample {
  /** In the workload's unit; 0 when the server stalled, which the table says. */
  readonly figure: number;
  /** How many operations the processor times below were used for. */
  readonly operations: number;
  readonly serverCpuSeconds: number;
  /** Processor time of the load generator over the same operations. */
  readonly driverCpuSeconds: number;
  /** Of one operation, in milliseconds; absent where single operations are not timed. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly p999Ms?: number;
  /** The longest turn of the server's event loop during the round, in milliseconds; only Holdfast can tell. */
  readonly longestTurnMs?: number;
}
