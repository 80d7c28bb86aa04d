/**
 * Workloads of one unary call repeated: h2load sends it, always with the same request. One key (or the same few) is what
 * it can do; workloads of distinct keys per call use the bench's own driver.
 *
 * h2load cannot see a gRPC status. That every call succeeded is proved from outside instead. After a run of writes the
 * store's revision must have advanced by exactly the number of calls. The DATA bytes of all answers must be exactly those
 * of so many right answers: an error has no DATA, since gRPC sends it as headers only. What a right answer looks like, a
 * client that is no part of Holdfast finds out before and after every run, and it looks at the contents.
 */
import { type LoadResult, runLoad, type UnaryLoad } from "../h2load.js";
import type { RefereeClient } from "../referee/client.js";
import { percentile } from "../report/figures.js";
import type { Server, StartOptions } from "../servers/server.js";
import type { Bench, Goal, Load, Sample, Workload } from "../workload.js";

/** A workload that repeats one call. */
export interface UnaryWorkload extends UnaryLoad {
  readonly name: string;
  readonly group: string;
  readonly goal: Goal;
  /** Every call advances the store's revision by one. */
  readonly isWrite: boolean;
  /** What the figure counts, where it is not calls: `keys`, and how many of them one call is. */
  readonly counts?: { readonly what: string; readonly perCall: number };
  /** Makes the keys that the call is about. */
  prepare(client: RefereeClient): Promise<void>;
  /** Looks at what the calls left or answer. @throws Error (rejects) when it is not what it shall be. */
  check(client: RefereeClient): Promise<void>;
  /** Decides how a server is started, where the usual way is not meant. */
  startOptions?(bench: Bench): StartOptions;
}

/** Sends so many calls of a load. `runLoad`, except in tests. */
export type Generate = typeof runLoad;

/** Makes a line of the table of a repeated call. */
export function unaryWorkload(unary: UnaryWorkload, generate: Generate = runLoad): Workload {
  const { name, group, goal, counts } = unary;
  return {
    ...{ name, group, goal, needsH2load: true },
    unit: `${counts?.what ?? "calls"}/s`,
    open: async (bench) => {
      const server = await bench.start(unary.startOptions?.(bench));
      const load = new UnaryRounds(unary, server, await server.connect(), bench.seconds, generate);
      await load.prepare(bench.isQuick);
      return load;
    },
  };
}

/** Below this rate the record of every call costs the load generator nothing that could be seen. */
const ratesWithLatenciesMax = 5_000;
/** Enough for a just-in-time compiler to have seen the code; short ones first, since the speed is not known yet. */
const warmUpSeconds = { usual: [0.1, 0.3, 0.8], quick: [0.05, 0.15, 0.4] };
/** A run for durations alone takes this part of the round's time. */
const latencyShare = 0.25;

class UnaryRounds implements Load {
  readonly #unary: UnaryWorkload;
  readonly #server: Server;
  readonly #client: RefereeClient;
  readonly #seconds: number;
  readonly #generate: Generate;
  #callsPerSecond = 0;

  constructor(unary: UnaryWorkload, server: Server, client: RefereeClient, seconds: number, generate: Generate) {
    this.#unary = unary;
    this.#server = server;
    this.#client = client;
    this.#seconds = seconds;
    this.#generate = generate;
  }

  /** Makes the keys exist and the server warm, and learns its speed. */
  async prepare(isQuick: boolean): Promise<void> {
    await this.#unary.prepare(this.#client);
    for (const seconds of warmUpSeconds[isQuick ? "quick" : "usual"])
      this.#callsPerSecond = (await this.#run(seconds, false)).perSecond;
    await this.#dropHistory();
  }

  /** One run for speed and processor time; where that would disturb it, a shorter one for durations; history dropped. */
  async round(): Promise<Sample> {
    const isSlow = this.#callsPerSecond <= ratesWithLatenciesMax;
    const cpuBefore = this.#server.cpuSeconds();
    const result = await this.#run(this.#seconds, isSlow);
    const serverCpuSeconds = this.#server.cpuSeconds() - cpuBefore;
    const { latenciesMs } = isSlow ? result : await this.#run(this.#seconds * latencyShare, true);
    this.#callsPerSecond = result.perSecond;
    await this.#dropHistory();
    const perCall = this.#unary.counts?.perCall ?? 1;
    return {
      figure: result.perSecond * perCall,
      operations: result.succeeded * perCall,
      serverCpuSeconds,
      driverCpuSeconds: result.cpuSeconds,
      p50Ms: percentile(latenciesMs, 0.5),
      p99Ms: percentile(latenciesMs, 0.99),
    };
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  #run(seconds: number, withLatencies: boolean): Promise<LoadResult> {
    const { connections, streams } = this.#unary;
    const requests = Math.max(connections * streams, Math.round(this.#callsPerSecond * seconds));
    const run = { port: this.#server.port, isTls: this.#server.tls !== undefined, requests, withLatencies };
    const call = { ...this.#unary, check: () => this.#unary.check(this.#client) };
    return checkedRun(this.#client, call, requests, () => this.#generate(this.#unary, run));
  }

  /** Otherwise the later rounds would measure a longer history than the earlier ones. */
  async #dropHistory(): Promise<void> {
    if (this.#unary.isWrite) await this.#client.compact(await revisionOf(this.#client));
  }
}

/** The part of a client that `checkedRun` uses itself. */
type RunClient = Pick<RefereeClient, "call" | "range">;

/** The part of a workload that `checkedRun` is about. */
interface CheckedCall extends Pick<UnaryWorkload, "path" | "message" | "isWrite"> {
  check(): Promise<void>;
}

/**
 * One run of the load generator between two looks at the store.
 * @throws Error (rejects) when the store, or the amount of answers, does not show what was asked of it.
 */
export async function checkedRun<Result extends { readonly dataBytes: number }>(
  client: RunClient,
  unary: CheckedCall,
  requests: number,
  generate: () => Promise<Result>,
): Promise<Result> {
  const answerBytes = async () => (await client.call(unary.path, unary.message)).length;
  const bytesBefore = await answerBytes();
  const revisionBefore = await revisionOf(client);
  const result = await generate();
  const advance = (await revisionOf(client)) - revisionBefore;
  const expected = unary.isWrite ? requests : 0;
  if (advance !== expected)
    throw new Error(`${requests} calls advanced the revision by ${advance}, not by ${expected}`);
  // An answer to a write grows with the digits of the revision in it, never shrinks.
  const [least, most] = [requests * bytesBefore, requests * (await answerBytes())];
  if (result.dataBytes < least || result.dataBytes > most) {
    throw new Error(`${result.dataBytes} bytes of answers, expected ${least}${most === least ? "" : ` to ${most}`}`);
  }
  await unary.check();
  return result;
}

async function revisionOf(client: Pick<RefereeClient, "range">): Promise<number> {
  return (await client.range("revision")).revision;
}

/** For a check of contents. @throws Error when the two differ. */
export function expectEqual(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${what}: ${brief(actual)}, expected ${brief(expected)}`);
}

function brief(value: unknown): string {
  const text = String(value);
  return text.length > 60 ? `${text.slice(0, 40)}… (${text.length} characters)` : text;
}
