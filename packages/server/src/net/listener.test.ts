import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { connect, type Server, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { temporaryFolder } from "../testing/temporary-folder.js";
import type { ListenAddress } from "./address.js";
import { AddressCounts } from "./address-counts.js";
import type { ClientSocket } from "./client-socket.js";
import { type NetCounters, newNetCounters } from "./counters.js";
import { Http1Fallback } from "./http1-fallback.js";
import { defaultNetLimits, type NetLimits } from "./limits.js";
import { ListenError, type Listener, listen } from "./listener.js";

/** Longer than any test: what ends a connection then is not the deadline. */
const noDeadlineMs = 3_600_000;
const shortDeadlineMs = 50;
const hung = { timeout: 20_000 };
const loopback: ListenAddress = { kind: "tcp", host: "127.0.0.1", port: 0, secure: false };
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** The answer "100 Continue" to it proves that the connection has been handed to HTTP/1. */
const expectingRequest = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

/** A listener, the sockets it handed to HTTP/2 and what it reported. */
interface Trial {
  readonly listener: Listener;
  readonly handedOver: Array<{ socket: ClientSocket; alreadyRead: Buffer }>;
  readonly errors: Error[];
  readonly counters: NetCounters;
  /** Resolves at the next hand-over. */
  nextHandOver(): Promise<void>;
}

async function start(t: TestContext, limits: Partial<NetLimits> = {}, address = loopback): Promise<Trial> {
  const handedOver: Trial["handedOver"] = [];
  const errors: Error[] = [];
  let wake = (): void => {};
  const counters = newNetCounters();
  const allLimits = { ...defaultNetLimits, firstBytesDeadlineMs: noDeadlineMs, ...limits };
  const fallback = new Http1Fallback(allLimits.firstBytesDeadlineMs);
  const listener = await listen({
    address,
    limits: allLimits,
    counters,
    addresses: new AddressCounts(allLimits.connectionsPerAddressMax),
    onHttp2: ({ socket, alreadyRead }) => {
      socket.on("error", () => socket.destroy());
      handedOver.push({ socket, alreadyRead });
      wake();
    },
    onHttp1: ({ socket, alreadyRead }) => fallback.take(socket, alreadyRead),
    onError: (cause) => errors.push(cause),
  });
  t.after(async () => {
    for (const { socket } of handedOver) socket.destroy();
    listener.destroyHttp1();
    await listener.close();
  });
  const nextHandOver = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  return { listener, handedOver, errors, counters, nextHandOver };
}

/** A client's end; a reset is an end like any other. */
async function dial(t: TestContext, { address }: Listener, allowHalfOpen = false): Promise<Socket> {
  const target = address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port };
  const socket = connect({ ...target, allowHalfOpen, noDelay: true });
  socket.on("error", () => {});
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** All that the peer sends until the connection is gone. */
async function readToEnd(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  await closed(socket);
  return text;
}

/** Not `once` of node:events: it rejects at an error, and a peer that leaves bytes unread ends with a reset. */
function closed(socket: Socket): Promise<void> {
  socket.resume();
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

/** Writes one byte after the other, each long before a deadline that starts afresh with every byte. */
function trickle(t: TestContext, socket: Socket, byteAt: (index: number) => string): void {
  let sent = 0;
  const timer = setInterval(() => {
    if (socket.writable) socket.write(byteAt(sent++), "latin1");
  }, shortDeadlineMs / 5);
  t.after(() => clearInterval(timer));
}

test("the preface one byte at a time is HTTP/2, and no byte of it is lost", hung, async (t) => {
  const { listener, handedOver, nextHandOver } = await start(t);
  const socket = await dial(t, listener);
  const decided = nextHandOver();
  for (const byte of preface.subarray(0, 14)) {
    await new Promise((resolve) => socket.write(Buffer.of(byte), resolve));
  }
  await decided;
  assert.equal(handedOver[0]?.alreadyRead.toString(), "PRI * HTTP/2.0");
  const [rest] = (await Promise.all([
    once(handedOver[0]!.socket, "data").then(([chunk]) => chunk),
    new Promise((resolve) => socket.write(preface.subarray(14), resolve)),
  ])) as [Buffer, unknown];
  assert.equal(rest.toString(), "\r\n\r\nSM\r\n\r\n");
});

test("the deadline ends with the hand-over to HTTP/2", hung, async (t) => {
  const { listener, handedOver, nextHandOver } = await start(t, { firstBytesDeadlineMs: shortDeadlineMs });
  const first = await dial(t, listener);
  const decided = nextHandOver();
  first.write(preface);
  await decided;
  const silent = await dial(t, listener);
  await closed(silent);
  assert.equal(handedOver[0]?.socket.destroyed, false);
});

test("F26, LIMIT firstBytesDeadlineMs: a silent connection is closed, and counted", hung, async (t) => {
  const { listener, counters } = await start(t, { firstBytesDeadlineMs: shortDeadlineMs });
  assert.equal(await readToEnd(await dial(t, listener)), "");
  assert.deepEqual([counters.accepted, counters.firstBytesTimeouts], [1, 1]);
});

test("F26: a preface that trickles is closed at the deadline for all of it", hung, async (t) => {
  const { listener, handedOver } = await start(t, { firstBytesDeadlineMs: shortDeadlineMs });
  const socket = await dial(t, listener);
  trickle(t, socket, (index) => preface.toString("latin1", index, index + 1));
  await closed(socket);
  assert.equal(handedOver.length, 0);
});

test("F26: an HTTP/1.1 head that trickles is closed at the deadline for all of it", hung, async (t) => {
  const { listener } = await start(t, { firstBytesDeadlineMs: shortDeadlineMs });
  const socket = await dial(t, listener);
  socket.write("GET / HTTP/1.1\r\nHost: x\r\nX: ");
  trickle(t, socket, () => "x");
  await closed(socket);
});

test("F26: an HTTP/1.1 body that trickles is closed at the deadline for all of it", hung, async (t) => {
  const { listener } = await start(t, { firstBytesDeadlineMs: shortDeadlineMs });
  const socket = await dial(t, listener);
  socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
  trickle(t, socket, () => "x");
  assert.equal(await readToEnd(socket), "");
});

test("a peer that half-closes before it has said which protocol it speaks is closed", hung, async (t) => {
  const { listener } = await start(t);
  for (const text of ["", "PRI * HT"]) {
    const socket = await dial(t, listener, true);
    socket.end(text);
    // Its own end is open for reading, so only the listener can end this.
    assert.equal(await readToEnd(socket), "");
  }
});

test("HTTP/1.1 is answered once the whole request is there, and the connection ends", hung, async (t) => {
  const { listener } = await start(t);
  const socket = await dial(t, listener);
  const answer = readToEnd(socket);
  const request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
  for (const byte of request) await new Promise((resolve) => socket.write(byte, resolve));
  assert.match(await answer, /^HTTP\/1\.1 404 [\s\S]*connection: close[\s\S]*etcdctl endpoint status\n$/i);
});

test("what is no HTTP at all gets no answer", hung, async (t) => {
  const { listener } = await start(t);
  const socket = await dial(t, listener);
  socket.write("\x16\x03\x01\x02\x00 hello\r\n\r\n");
  assert.equal(await readToEnd(socket), "");
});

test("close ends silent connections at once, and destroyHttp1 unfinished HTTP/1.1 requests", hung, async (t) => {
  const { listener } = await start(t);
  const silent = await dial(t, listener);
  const unfinishedHead = await dial(t, listener);
  await new Promise((resolve) => unfinishedHead.write("GET / HTTP/1.1\r\nHost: x\r\n", resolve));
  const unfinishedBody = await dial(t, listener);
  unfinishedBody.write(expectingRequest);
  await once(unfinishedBody, "data");
  const gone = listener.close();
  await closed(silent);
  assert.equal(unfinishedBody.destroyed, false);
  listener.destroyHttp1();
  await Promise.all([gone, closed(unfinishedHead), closed(unfinishedBody)]);
});

test("close leaves HTTP/2 connections alone and waits for the last of them", hung, async (t) => {
  const { listener, handedOver, nextHandOver } = await start(t);
  const socket = await dial(t, listener);
  const decided = nextHandOver();
  socket.write(preface);
  await decided;
  let isClosed = false;
  const closing = listener.close().then(() => {
    isClosed = true;
  });
  const served = handedOver[0]!.socket;
  served.write("still here");
  await once(socket, "data");
  assert.equal(isClosed, false);
  served.destroy();
  await closing;
});

test(
  "F25, LIMIT undecidedConnectionsMax: with one undecided connection too many the oldest is closed; decided ones count no more",
  hung,
  async (t) => {
    const { listener, counters, nextHandOver } = await start(t, { undecidedConnectionsMax: 1 });
    const http1 = await dial(t, listener);
    http1.write(expectingRequest);
    await once(http1, "data");
    const silent = await dial(t, listener);
    const newer = await dial(t, listener);
    await closed(silent);
    assert.equal(counters.refusedUndecided, 1);
    const decided = nextHandOver();
    newer.write(preface);
    await decided;
    const next = await dial(t, listener);
    const nextDecided = nextHandOver();
    next.write(preface);
    await nextDecided;
    assert.equal(http1.destroyed, false);
    assert.equal(counters.refusedUndecided, 1);
  },
);

test(
  "F25, LIMIT http1ConnectionsMax: HTTP/1.1 connections above their limit are closed at once; one that is gone counts no more",
  hung,
  async (t) => {
    const { listener, counters, nextHandOver } = await start(t, { http1ConnectionsMax: 1 });
    const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    const first = await dial(t, listener);
    first.write(expectingRequest);
    await once(first, "data");
    const second = await dial(t, listener);
    second.write(request);
    assert.equal(await readToEnd(second), "");
    assert.equal(counters.refusedHttp1, 1);
    const decided = nextHandOver();
    (await dial(t, listener)).write(preface);
    await decided;
    first.write("hello");
    await closed(first);
    for (let round = 0; round < 3; round++) {
      const socket = await dial(t, listener);
      socket.write(request);
      assert.match(await readToEnd(socket), /^HTTP\/1\.1 404 /);
    }
  },
);

test(
  "F25, LIMIT connectionsPerAddressMax: one more is closed, whatever they speak, and one that is gone counts no more",
  hung,
  async (t) => {
    const { listener, counters, handedOver, nextHandOver } = await start(t, { connectionsPerAddressMax: 3 });
    const http1 = await dial(t, listener);
    http1.write(expectingRequest);
    await once(http1, "data");
    const http2 = await dial(t, listener);
    const decided = nextHandOver();
    http2.write(preface);
    await decided;
    await dial(t, listener);
    await closed(await dial(t, listener));
    assert.equal(counters.refusedPerAddress, 1);
    const gone = once(handedOver[0].socket, "close");
    http2.destroy();
    await gone;
    const next = await dial(t, listener);
    const nextDecided = nextHandOver();
    next.write(preface);
    await nextDecided;
    await closed(await dial(t, listener));
    assert.equal(counters.refusedPerAddress, 2);
  },
);

test("a connection that is gone counts no more", hung, async (t) => {
  const { listener, counters } = await start(t, { undecidedConnectionsMax: 1 });
  for (let round = 0; round < 3; round++) {
    const socket = await dial(t, listener);
    socket.end("PRI");
    await closed(socket);
  }
  assert.equal(counters.refusedUndecided, 0);
});

test("a failure to accept is reported, and listening goes on", hung, async (t) => {
  const { listener, handedOver, errors, nextHandOver } = await start(t);
  for (let round = 0; round < 2; round++) {
    const decided = nextHandOver();
    (await dial(t, listener)).write(preface);
    await decided;
    const { server } = handedOver[0]!.socket as Socket & { readonly server: Server };
    server.emit("error", Object.assign(new Error("accept EMFILE"), { code: "EMFILE" }));
    assert.equal(errors.length, round + 1);
  }
});

test("a Unix socket left behind by a killed process is listened on again", hung, async (t) => {
  const path = `${temporaryFolder()}/stale.sock`;
  const program = `require("node:net").createServer().listen(process.argv[1], () => console.log("up"))`;
  const child = spawn(process.execPath, ["-e", program, path], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.ok(existsSync(path));
  const { listener, nextHandOver } = await start(t, {}, { kind: "unix", path, secure: false });
  const decided = nextHandOver();
  (await dial(t, listener)).write(preface);
  await decided;
});

test("a Unix socket that somebody answers on is in use", hung, async (t) => {
  const path = `${temporaryFolder()}/used.sock`;
  const { listener, nextHandOver } = await start(t, {}, { kind: "unix", path, secure: false });
  const isInUse = (error: unknown): boolean => error instanceof ListenError && error.code === "EADDRINUSE";
  await assert.rejects(start(t, {}, { kind: "unix", path, secure: false }), isInUse);
  const decided = nextHandOver();
  (await dial(t, listener)).write(preface);
  await decided;
});

test("a file that is no socket is never removed", hung, async (t) => {
  const path = `${temporaryFolder()}/notes.txt`;
  writeFileSync(path, "precious");
  await assert.rejects(start(t, {}, { kind: "unix", path, secure: false }), ListenError);
  assert.ok(existsSync(path));
});
