/** A world of one server without clients, for tests: nothing happens in it but what the test does. */
import type { LogLimits } from "@holdfast/log";
import { kvService } from "@holdfast/protocol";
import type { ServerOptions } from "@holdfast/server";
import { GrpcClient } from "@holdfast/transport";
import { ServerDisk } from "../world/disk.js";
import { Network } from "../world/network.js";
import { ServerNode } from "../world/node.js";
import { SeededRandom } from "../world/random.js";
import { Scheduler } from "../world/scheduler.js";
import { SimulatedWorld } from "../world/simulated-world.js";
import type { Party } from "../world/world.js";

const logLimits: Partial<LogLimits> = { entryBytesMax: 12_288, segmentBytesFirst: 16_384, segmentBytesMax: 16_384 };

export class SmallWorld {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly disk: ServerDisk;
  readonly node: ServerNode;
  readonly world: SimulatedWorld;
  readonly marks = new Set<string>();
  readonly lines: string[] = [];
  #order = 0;

  constructor(seed = 1, options: ServerOptions = {}) {
    const random = new SeededRandom(seed);
    const scheduler = new Scheduler(random.fork("schedule"));
    const network = new Network(scheduler, random.fork("network"), {
      latencyMs: 1,
      spikeChance: 0,
      pieceBytesMax: 64,
      windowBytes: 4_096,
      connectTimeoutMs: 3_000,
    });
    const disk = new ServerDisk(scheduler, random.fork("disk"), { operationMs: 0.1, isDirect: false });
    const parts = {
      scheduler,
      network,
      disk,
      options: { ...options, serviceLimits: { requestBytes: 8_192, ...options.serviceLimits } },
      logLimits,
      random: random.fork("server"),
      moment: () => ({ ms: scheduler.nowMs, order: ++this.#order }),
      note: (line: string) => void this.lines.push(line),
      mark: (name: string) => void this.marks.add(name),
    };
    this.scheduler = scheduler;
    this.network = network;
    this.disk = disk;
    this.node = new ServerNode(parts);
    this.world = new SimulatedWorld({ ...parts, random: random.fork("clients") });
  }

  /** Lets the world go on until `promise` is settled, for so much virtual time at most. */
  async settled<T>(promise: Promise<T>, withinMs = 60_000): Promise<T> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promise.then(settle, settle);
    const limitMs = this.scheduler.nowMs + withinMs;
    await this.scheduler.run(() => isSettled || this.scheduler.nowMs >= limitMs);
    if (!isSettled) throw new Error(`not settled within ${withinMs} virtual ms`);
    return promise;
  }

  /** Lets the world go on until `isSo`, for a minute of virtual time at most. */
  async until(isSo: () => boolean): Promise<void> {
    const limitMs = this.scheduler.nowMs + 60_000;
    await this.scheduler.run(() => isSo() || this.scheduler.nowMs >= limitMs);
    if (!isSo()) throw new Error("it did not come to that within a virtual minute");
  }

  /** Lets `ms` of virtual time pass. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.scheduler.nowMs + ms;
    this.scheduler.after(ms, "world", this.scheduler.world, () => {});
    await this.scheduler.run(() => this.scheduler.nowMs >= untilMs);
  }

  /** Starts the server, or starts it again after a life of it. */
  async serve(): Promise<void> {
    this.node.start();
    await this.until(() => this.node.state !== "starting");
  }

  async client(party: Party): Promise<GrpcClient> {
    const socket = await this.settled(party.connect());
    return new GrpcClient(socket, "server", { clock: party.clock });
  }
}

/** Puts a pair. @returns the code of the status, 0 if it went well. */
export async function put(client: GrpcClient, key: string, value: string): Promise<number> {
  const { path, request } = kvService.methods.put;
  const bytes = request.encode(request.create({ key: key as never, value: Buffer.from(value) }));
  const { status } = await client.unary(path, bytes, { deadlineMs: 5_000 });
  return status.code;
}

/** All pairs, as "key=value". */
export async function pairs(client: GrpcClient): Promise<string[]> {
  const { path, request, response } = kvService.methods.range;
  const bytes = request.encode(request.create({ key: "\0" as never, rangeEnd: "\0" as never }));
  const { message } = await client.unary(path, bytes, { deadlineMs: 5_000 });
  const { kvs } = response.decode(message as Uint8Array);
  return kvs.map(({ key, value }) => `${key}=${Buffer.from(value).toString()}`);
}
