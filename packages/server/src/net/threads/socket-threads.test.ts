/** Socket threads under a real listener: what comes and goes through them is what comes and goes through a socket. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import type { Worker } from "node:worker_threads";
import type { ListenAddress } from "../address.js";
import { AddressCounts } from "../address-counts.js";
import type { ClientSocket } from "../client-socket.js";
import { newNetCounters } from "../counters.js";
import { Http1Fallback } from "../http1-fallback.js";
import { defaultNetLimits } from "../limits.js";
import { type Listener, listen } from "../listener.js";
import { FarSocket } from "./far-socket.js";
import { socketThreadsFor } from "./socket-threads.js";

const address: ListenAddress = { kind: "tcp", host: "127.0.0.1", port: 0, secure: false };
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const limits = { ...defaultNetLimits, socketThreadsMax: 2, socketThreadsFrom: 1 };
const isUsed = socketThreadsFor(address, limits) > 0;
const options = { timeout: 30_000, skip: isUsed ? false : "no socket threads on this machine" };

/** A listener whose second connection and all after it belong to threads. */
class Trial {
  readonly failures: Error[] = [];
  readonly counters = newNetCounters();
  readonly #arrived: ClientSocket[] = [];
  readonly #taken: ClientSocket[] = [];
  readonly #t: TestContext;
  #listener: Listener | undefined = undefined;
  #wake = (): void => {};

  private constructor(t: TestContext) {
    this.#t = t;
  }

  static async start(t: TestContext, connectionsMax = 1_000): Promise<Trial> {
    const trial = new Trial(t);
    const fallback = new Http1Fallback(60_000);
    trial.#listener = await listen({
      address,
      limits,
      counters: trial.counters,
      addresses: new AddressCounts(connectionsMax),
      onHttp2: ({ socket }) => trial.#take(socket),
      onHttp1: ({ socket, alreadyRead }) => fallback.take(socket, alreadyRead),
      onError: (cause) => trial.failures.push(cause),
      onThreadsFailed: (cause) => trial.failures.push(cause),
    });
    t.after(() => {
      for (const socket of trial.#taken) socket.destroy();
      return trial.close();
    });
    const { server } = await trial.farPair();
    server.destroy();
    await gone(server);
    return trial;
  }

  dial(allowHalfOpen = false): Socket {
    const { port } = (this.#listener as Listener).address as { port: number };
    const socket = connect({ host: "127.0.0.1", port, allowHalfOpen, noDelay: true });
    socket.on("error", () => {});
    this.#t.after(() => socket.destroy());
    return socket;
  }

  /** A connection that speaks HTTP/2: both ends, ours without a listener. */
  async pair(allowHalfOpen = false): Promise<{ client: Socket; server: ClientSocket }> {
    const client = this.dial(allowHalfOpen);
    client.write(preface);
    while (this.#arrived.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return { client, server: this.#arrived.shift() as ClientSocket };
  }

  async farPair(allowHalfOpen = false): Promise<{ client: Socket; server: FarSocket }> {
    for (;;) {
      const { client, server } = await this.pair(allowHalfOpen);
      if (server instanceof FarSocket) return { client, server };
      // The main thread accepts until all threads do.
      client.destroy();
      await gone(server);
    }
  }

  async close(): Promise<void> {
    await this.#listener?.close();
  }

  #take(socket: ClientSocket): void {
    socket.on("error", () => {});
    this.#taken.push(socket);
    this.#arrived.push(socket);
    this.#wake();
  }
}

async function gone(socket: ClientSocket): Promise<void> {
  socket.resume();
  if (!socket.closed) await once(socket, "close");
}

/** All that comes until the end. */
async function readAll(socket: ClientSocket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  await once(socket, "end");
  return Buffer.concat(chunks);
}

function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(at, at);
  return bytes;
}

test("bytes pass in both directions, whole and in order, and whose connection it is is known", options, async (t) => {
  const trial = await Trial.start(t);
  const { client, server } = await trial.farPair(true);
  assert.equal(server.remoteAddress, "127.0.0.1");
  assert.equal(server.remotePort, client.localPort);
  const sent = pattern(5_000_000);
  server.pipe(server);
  client.end(sent);
  assert.ok((await readAll(client)).equals(sent));
});

test("a client that does not read holds back who writes to it, and gets all in the end", options, async (t) => {
  const trial = await Trial.start(t);
  const { client, server } = await trial.farPair();
  client.pause();
  const sent = pattern(40_000_000);
  let isTaken = false;
  server.end(sent, () => {
    isTaken = true;
  });
  // Other connections are served meanwhile.
  for (let n = 0; n < 20; n++) (await trial.farPair()).client.destroy();
  assert.equal(isTaken, false);
  assert.ok((await readAll(client)).equals(sent));
});

test("who does not read what a client sends holds that client back", options, async (t) => {
  const trial = await Trial.start(t);
  const { client, server } = await trial.farPair();
  server.pause();
  const sent = pattern(40_000_000);
  client.end(sent);
  for (let n = 0; n < 20; n++) (await trial.farPair()).client.destroy();
  assert.ok(client.writableLength > 0);
  assert.ok(server.readableLength < 1_000_000, `${server.readableLength} bytes wait`);
  assert.ok((await readAll(server)).equals(sent));
});

test(
  "an answer reaches a client that has half-closed; then the connection is over on both sides",
  options,
  async (t) => {
    const trial = await Trial.start(t);
    const { client, server } = await trial.farPair(true);
    const question = readAll(server);
    server.once("end", () => server.end("answer"));
    const answer = readAll(client);
    const over = once(server, "close");
    client.end("question");
    assert.equal((await question).toString(), "question");
    assert.equal((await answer).toString(), "answer");
    await over;
  },
);

test("F25: connections of threads count for their address as any others do", options, async (t) => {
  const trial = await Trial.start(t, 3);
  for (let n = 0; n < 3; n++) await trial.farPair();
  const refused = trial.dial();
  refused.resume();
  await once(refused, "close");
  assert.ok(trial.counters.refusedPerAddress > 0);
});

test("HTTP/1.1 is answered through a thread", options, async (t) => {
  const trial = await Trial.start(t);
  const client = trial.dial();
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  assert.match((await readAll(client)).toString(), /^HTTP\/1\.1 404 /);
});

test("closing waits for the connections of threads; nobody listens then", options, async (t) => {
  const trial = await Trial.start(t);
  const { client, server } = await trial.farPair();
  let isClosed = false;
  const closed = trial.close().then(() => {
    isClosed = true;
  });
  server.write("still here");
  assert.equal((await once(client, "data"))[0].toString(), "still here");
  assert.equal(isClosed, false);
  server.destroy();
  await closed;
  const late = trial.dial();
  late.removeAllListeners("error");
  const [error] = await once(late, "error");
  assert.equal(error.code, "ECONNREFUSED");
});

test("F17: when threads end, their connections do, it is told, and others are served", options, async (t) => {
  const workers: Worker[] = [];
  const remember = (worker: Worker): void => void workers.push(worker);
  process.on("worker", remember);
  t.after(() => process.off("worker", remember));
  const trial = await Trial.start(t);
  const { client, server } = await trial.farPair();
  client.resume();
  const gone = Promise.all([once(client, "close"), once(server, "close")]);
  assert.equal(workers.length, limits.socketThreadsMax);
  for (const worker of workers) await worker.terminate();
  await gone;
  while (trial.failures.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const next = await connected(trial);
  next.write(preface);
  const { server: taken } = await trial.pair();
  assert.equal(taken instanceof FarSocket, false);
});

/** A moment passes until the main thread listens again. */
async function connected(trial: Trial): Promise<Socket> {
  for (;;) {
    const socket = trial.dial();
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    if (isOpen) return socket;
  }
}
