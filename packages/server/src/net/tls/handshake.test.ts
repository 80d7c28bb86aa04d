/** Handshakes that stall, fail or come in masses, at a listener with limits of its own. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { silentLogger } from "../../logger.js";
import { issueLocal, makeAuthority } from "../../testing/certificates.js";
import { dialTls } from "../../testing/tls.js";
import { AddressCounts } from "../address-counts.js";
import type { ClientSocket } from "../client-socket.js";
import { type NetCounters, newNetCounters } from "../counters.js";
import { defaultNetLimits, type NetLimits } from "../limits.js";
import { type Listener, listen } from "../listener.js";
import { ThrottledLog } from "../throttled-log.js";
import { readTlsOptions } from "./settings.js";
import { TlsGate } from "./tls-gate.js";

const hung = { timeout: 20_000 };
const shortDeadlineMs = 50;
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** The first bytes of a ClientHello that never goes on. */
const helloBegun = Buffer.from("1603010200010001fc0303", "hex");

interface Trial {
  readonly listener: Listener;
  readonly port: number;
  readonly ca: string;
  readonly counters: NetCounters;
  /** Connections handed to HTTP/2. */
  readonly handedOver: ClientSocket[];
  readonly lines: object[];
}

async function start(t: TestContext, limits: Partial<NetLimits>): Promise<Trial> {
  const authority = await makeAuthority();
  const { cert, key } = await issueLocal(authority);
  const counters = newNetCounters();
  const lines: object[] = [];
  const logger = silentLogger();
  logger.warn = (fields: object) => lines.push(fields);
  const allLimits = { ...defaultNetLimits, ...limits };
  const pair = { cert: Buffer.from(cert), key: Buffer.from(key) };
  const settings = readTlsOptions({ certFile: "in memory", keyFile: "in memory" });
  const log = new ThrottledLog(logger, () => 0, 1);
  const handedOver: ClientSocket[] = [];
  const listener = await listen({
    address: { kind: "tcp", host: "127.0.0.1", port: 0, secure: true },
    tls: new TlsGate({ settings, limits: allLimits, counters, log }, pair, { ca: undefined, crl: undefined }),
    limits: allLimits,
    counters,
    addresses: new AddressCounts(allLimits.connectionsPerAddressMax),
    onHttp2: ({ socket }) => {
      socket.on("error", () => {});
      socket.resume();
      socket.write("welcome");
      handedOver.push(socket);
    },
    onHttp1: ({ socket }) => socket.destroy(),
    onError: () => {},
  });
  t.after(async () => {
    for (const socket of handedOver) socket.destroy();
    await listener.close();
  });
  const port = listener.address.kind === "tcp" ? listener.address.port : 0;
  return { listener, port, ca: authority.cert, counters, handedOver, lines };
}

/** A connection that has yet to begin its handshake. */
async function dialRaw(t: TestContext, { port }: Trial): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.resume();
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

async function isServed(t: TestContext, { port, ca }: Trial): Promise<Socket> {
  const socket = await dialTls(t, { port, ca });
  socket.write(preface);
  assert.equal(String((await once(socket, "data"))[0]), "welcome");
  return socket;
}

test(
  "F26, LIMIT handshakeDeadlineMs: a handshake that never begins, or never ends, is closed and counted",
  hung,
  async (t) => {
    const trial = await start(t, { handshakeDeadlineMs: shortDeadlineMs });
    await closed(await dialRaw(t, trial));
    const begun = await dialRaw(t, trial);
    begun.write(helloBegun);
    await closed(begun);
    assert.equal(trial.counters.handshakeTimeouts, 2);
    assert.deepEqual([trial.counters.handshakeFailures, trial.lines], [0, []]);
  },
);

test("F26: a handshake that trickles is closed at the deadline for all of it", hung, async (t) => {
  const trial = await start(t, { handshakeDeadlineMs: shortDeadlineMs });
  const socket = await dialRaw(t, trial);
  let sent = 0;
  const timer = setInterval(() => {
    if (socket.writable) socket.write(helloBegun.subarray(sent, ++sent));
  }, shortDeadlineMs / 5);
  t.after(() => clearInterval(timer));
  await closed(socket);
  assert.equal(trial.counters.handshakeTimeouts, 1);
});

test(
  "F26: a client that says nothing after its handshake is closed, and both deadlines end with the hand-over",
  hung,
  async (t) => {
    const trial = await start(t, { handshakeDeadlineMs: 5_000, firstBytesDeadlineMs: 300 });
    const served = await isServed(t, trial);
    const silent = await dialTls(t, { port: trial.port, ca: trial.ca });
    silent.resume();
    await closed(silent);
    assert.deepEqual([trial.counters.firstBytesTimeouts, trial.counters.handshakeTimeouts], [1, 0]);
    served.write("more");
    await once(trial.handedOver[0] as Socket, "data");
  },
);

test("F25: handshakes count against the bound on undecided connections, served connections do not", hung, async (t) => {
  const trial = await start(t, { undecidedConnectionsMax: 1 });
  for (let round = 0; round < 3; round++) await isServed(t, trial);
  const waiting = await dialRaw(t, trial);
  const next = await dialRaw(t, trial);
  await closed(waiting);
  assert.equal(trial.counters.refusedUndecided, 1);
  await isServed(t, trial);
  await closed(next);
  assert.equal(trial.counters.refusedUndecided, 2);
  assert.equal(trial.counters.handshakes, 4);
});

test(
  "F25, LIMIT connectionsPerAddressMax: encrypted connections count until they are closed, and then no more",
  hung,
  async (t) => {
    const trial = await start(t, { connectionsPerAddressMax: 1 });
    for (let round = 0; round < 3; round++) {
      const served = await isServed(t, trial);
      await closed(await dialRaw(t, trial));
      assert.equal(trial.counters.refusedPerAddress, round + 1);
      const gone = closed(trial.handedOver[round] as Socket);
      served.destroy();
      await gone;
      await setImmediate();
    }
  },
);

test("F42: a client cannot have its connection encrypted anew", hung, async (t) => {
  const trial = await start(t, {});
  const client = await dialTls(t, { port: trial.port, ca: trial.ca, maxVersion: "TLSv1.2" });
  client.write(preface);
  await once(client, "data");
  const refused = new Promise<Error>((resolve) => client.once("error", resolve));
  client.renegotiate({}, (error) => assert.notEqual(error, null, "a second handshake succeeded"));
  assert.match((await refused).message, /no renegotiation/);
});

test("closing ends handshakes at once and leaves HTTP/2 alone", hung, async (t) => {
  const trial = await start(t, {});
  const served = await isServed(t, trial);
  const waiting = await dialRaw(t, trial);
  waiting.write(helloBegun);
  await isServed(t, trial);
  const gone = trial.listener.close();
  await closed(waiting);
  assert.equal(served.destroyed, false);
  for (const socket of trial.handedOver) socket.destroy();
  await gone;
});

test("failed handshakes are logged with a reason, a flood of them in one line", hung, async (t) => {
  const trial = await start(t, {});
  for (let round = 0; round < 5; round++) {
    const socket = await dialRaw(t, trial);
    socket.write("GET / HTTP/1.1\r\n\r\n");
    await closed(socket);
  }
  assert.equal(trial.counters.handshakeFailures, 5);
  assert.equal(trial.lines.length, 1);
  const [{ code, peer }] = trial.lines as [{ code: string; peer: string }];
  assert.deepEqual([code, peer], ["ERR_SSL_HTTP_REQUEST", "127.0.0.1"]);
});
