import assert from "node:assert/strict";
import { test } from "node:test";
import type { TransportSocket } from "@holdfast/transport";
import { Network, type NetworkSettings } from "./network.js";
import type { Owner } from "./owner.js";
import { SeededRandom } from "./random.js";
import { Scheduler } from "./scheduler.js";

const settings: NetworkSettings = {
  latencyMs: 1,
  spikeChance: 0.1,
  pieceBytesMax: 100,
  windowBytes: 1_000,
  connectTimeoutMs: 500,
};

interface End {
  readonly socket: TransportSocket;
  readonly chunks: Buffer[];
  readonly events: string[];
}

/** Two ends of a connection, and what each has heard. */
class Line {
  readonly scheduler = new Scheduler(new SeededRandom(3));
  readonly network: Network;
  readonly caller: Owner;
  readonly server: Owner;
  accepted: End | undefined;

  constructor(changes: Partial<NetworkSettings> = {}) {
    this.network = new Network(this.scheduler, new SeededRandom(4), { ...settings, ...changes });
    this.caller = this.scheduler.owner("caller");
    this.server = this.scheduler.owner("server");
    const accept = (socket: TransportSocket): void => {
      this.accepted = endOf(socket);
    };
    this.network.listen("server", { owner: this.server, accept });
  }

  async call(): Promise<{ readonly here: End; readonly there: End }> {
    let here: End | undefined;
    this.network.connect(this.caller, "server").then((socket) => {
      here = endOf(socket);
    });
    await this.scheduler.run(() => here !== undefined && this.accepted !== undefined);
    return { here: here as End, there: this.accepted as End };
  }

  async pass(ms: number): Promise<void> {
    const untilMs = this.scheduler.nowMs + ms;
    this.scheduler.after(ms, "world", this.scheduler.world, () => {});
    await this.scheduler.run(() => this.scheduler.nowMs >= untilMs);
  }
}

function endOf(socket: TransportSocket): End {
  const end: End = { socket, chunks: [], events: [] };
  socket.on("data", (chunk: Buffer) => end.chunks.push(chunk));
  socket.on("end", () => end.events.push("end"));
  socket.on("error", (error: NodeJS.ErrnoException) => end.events.push(error.code ?? "error"));
  socket.on("close", () => end.events.push("close"));
  return end;
}

test("bytes arrive whole and in order, in pieces of any size", async () => {
  const line = new Line();
  const { here, there } = await line.call();
  const sent = Buffer.alloc(5_000);
  new SeededRandom(1).fill(sent);
  here.socket.write(sent.subarray(0, 10));
  here.socket.write(sent.subarray(10));
  await line.pass(10_000);
  assert.deepEqual(Buffer.concat(there.chunks), sent);
  assert.ok(there.chunks.length > 20 && there.chunks.every(({ length }) => length <= 100));
});

test("F20: writing waits when nobody reads, and goes on when somebody does", async () => {
  const line = new Line();
  const { here, there } = await line.call();
  there.socket.pause();
  let written = 0;
  for (let i = 0; i < 100; i++) here.socket.write(Buffer.alloc(1_000), () => written++);
  await line.pass(10_000);
  assert.ok(written < 30, `${written} of 100 writes were taken`);
  there.socket.resume();
  await line.pass(100_000);
  assert.equal(written, 100);
  assert.equal(Buffer.concat(there.chunks).length, 100_000);
});

test("the end of one side reaches the other behind all bytes", async () => {
  const line = new Line();
  const { here, there } = await line.call();
  here.socket.end(Buffer.alloc(500));
  await line.pass(1_000);
  assert.equal(Buffer.concat(there.chunks).length, 500);
  assert.deepEqual(there.events, ["end", "close"]);
  assert.ok(here.events.includes("close"));
});

test("F23: a connection that is cut is lost at both ends", async () => {
  const line = new Line();
  await line.call();
  line.network.connections[0]!.client.cut("reset");
  await line.pass(1_000);
  assert.deepEqual(line.accepted?.events, ["ECONNRESET", "close"]);
  assert.equal(line.network.connections.length, 0);
});

test("F19: into a void nothing gets, not even the close, and nobody is told", async () => {
  const line = new Line();
  const { here, there } = await line.call();
  line.network.connections[0]!.client.swallow();
  here.socket.write("lost");
  here.socket.destroy();
  await line.pass(100_000);
  assert.deepEqual([there.chunks, there.events], [[], []]);
});

test("F27: what is sent during a partition comes after it; a caller waits, or gives up", async () => {
  const line = new Line();
  const { here, there } = await line.call();
  line.network.partition("caller", 400);
  here.socket.write("late");
  await line.pass(390);
  assert.equal(there.chunks.length, 0);
  await line.pass(1_000);
  assert.equal(Buffer.concat(there.chunks).toString(), "late");
  line.network.partition("caller", 5_000);
  const refused = assert.rejects(line.network.connect(line.caller, "server"), { code: "ETIMEDOUT" });
  await line.pass(600);
  await refused;
});

test("nobody listens: a caller is refused", async () => {
  const line = new Line();
  line.network.unlisten("server");
  const refused = assert.rejects(line.network.connect(line.caller, "server"), { code: "ECONNREFUSED" });
  await line.pass(100);
  await refused;
});

test("F1, F2: a killed process closes its connections; after a power cut the other side learns of it when it speaks", async () => {
  const line = new Line();
  const { here } = await line.call();
  line.server.die();
  line.network.drop(line.server, true);
  await line.pass(100_000);
  assert.deepEqual(here.events, []);
  line.network.forget("server");
  here.socket.write("anybody there?");
  await line.pass(1_000);
  assert.deepEqual(here.events, ["ECONNRESET", "close"]);
  const other = new Line();
  const { here: caller } = await other.call();
  other.server.die();
  other.network.drop(other.server, false);
  await other.pass(1_000);
  assert.equal(caller.events.at(-1), "close");
});
