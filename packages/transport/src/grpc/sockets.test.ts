/** Bytes survive every kind of socket: full now and then, encrypted, or no socket at all. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { Duplex } from "node:stream";
import { type TestContext, test } from "node:test";
import * as tls from "node:tls";
import type { TransportSocket } from "../http2/socket-writer.js";
import { GrpcClient } from "./client.js";
import { GrpcServer } from "./server.js";
import type { ServerCall } from "./types.js";

const PIECES = 400;
const PIECE_BYTES = 50_000;
const METHODS = [
  { kind: "unary", path: "/s.S/Echo", handle: (request: Uint8Array, call: ServerCall) => call.reply(request) },
  { kind: "serverStream", path: "/s.S/Stream", handle: (_: Uint8Array, call: ServerCall) => produce(call) },
] as const;

/** Sends pieces of changing content as fast as the client takes them. */
function produce(call: ServerCall): void {
  let sent = 0;
  const piece = Buffer.alloc(PIECE_BYTES);
  const more = (): void => {
    for (; sent < PIECES && !call.congested; sent++) call.send(piece.fill(sent % 251));
    if (sent === PIECES) call.end({ code: 0, message: "" });
  };
  call.onDrain(more);
  more();
}

function expectedDigest(): string {
  const hash = createHash("sha1");
  const piece = Buffer.alloc(PIECE_BYTES);
  for (let n = 0; n < PIECES; n++) hash.update(piece.fill(n % 251));
  return hash.digest("hex");
}

/** Reads the whole stream; `onPiece` may do things to the socket meanwhile. */
async function streamDigest(client: GrpcClient, onPiece: (count: number) => void = () => {}): Promise<string> {
  const hash = createHash("sha1");
  let count = 0;
  const end = new Promise<number>((resolve) => {
    const call = client.open("/s.S/Stream", {
      message: (bytes) => {
        hash.update(bytes);
        onPiece(++count);
      },
      end: ({ status }) => resolve(status.code),
    });
    call.send(new Uint8Array(0));
    call.halfClose();
  });
  assert.equal(await end, 0);
  return hash.digest("hex");
}

async function assertEchoes(client: GrpcClient): Promise<void> {
  const requests = Array.from({ length: 300 }, (_, n) => Buffer.alloc(n * 37, n));
  const results = await Promise.all(requests.map((request) => client.unary("/s.S/Echo", request)));
  for (const [n, { status, message }] of results.entries()) {
    assert.equal(status.code, 0, status.message);
    assert.ok(requests[n].equals(message!), `reply ${n}`);
  }
}

async function listen(t: TestContext, listener: Server): Promise<number> {
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  t.after(() => listener.close());
  return (listener.address() as AddressInfo).port;
}

test("a socket that is full now and then", async (t) => {
  const server = new GrpcServer({ methods: METHODS });
  const port = await listen(
    t,
    createServer((socket) => server.handleConnection(socket)),
  );
  const socket = connect(port, "127.0.0.1");
  const client = new GrpcClient(socket, "test");
  t.after(() => client.destroy());
  const digest = await streamDigest(client, (count) => {
    if (count % 10 !== 0) return;
    socket.pause();
    setImmediate(() => setImmediate(() => socket.resume()));
  });
  assert.equal(digest, expectedDigest());
  await assertEchoes(client);
});

const PSK = Buffer.alloc(32, 9);

/** An encrypted server at a loopback port, and a client's end of a connection to it. */
async function encrypted(t: TestContext, server: GrpcServer, version: tls.SecureVersion): Promise<tls.TLSSocket> {
  // TLS 1.3 has no other cipher that goes with a key known beforehand.
  const ciphers = version === "TLSv1.3" ? "TLS_AES_128_GCM_SHA256:PSK+AES" : "PSK+AES";
  const common: tls.SecureContextOptions = { ciphers, minVersion: version, maxVersion: version };
  const listener = tls.createServer({ ...common, pskCallback: () => PSK }, (socket) => server.handleConnection(socket));
  const port = await listen(t, listener);
  return tls.connect({
    ...common,
    host: "127.0.0.1",
    port,
    pskCallback: () => ({ psk: PSK, identity: "test" }),
    checkServerIdentity: () => undefined,
  });
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`an encrypted socket that is full now and then, ${version}`, async (t) => {
    const server = new GrpcServer({ methods: METHODS });
    const socket = await encrypted(t, server, version);
    const client = new GrpcClient(socket, "test", { scheme: "https" });
    t.after(() => client.destroy());
    const digest = await streamDigest(client, (count) => {
      if (count % 10 !== 0) return;
      socket.pause();
      setImmediate(() => setImmediate(() => socket.resume()));
    });
    assert.equal(digest, expectedDigest());
    await assertEchoes(client);
    await server.drain();
    await client.closed;
    assert.equal(server.connectionCount, 0);
  });
}

/** Two ends of a pipe within the process. Chunks are passed on as they are, not copied. */
function pipePair(): [TransportSocket, TransportSocket] {
  const ends: Duplex[] = [];
  const end = (other: number): Duplex =>
    new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        setImmediate(() => {
          if (!ends[other].destroyed) ends[other].push(chunk);
          done();
        });
      },
    });
  ends.push(end(1), end(0));
  return [ends[0], ends[1]];
}

test("a duplex stream that keeps the buffers it is given", async (t) => {
  // On a busy machine a connection waits for its next turn by a timer that keeps no process alive, and pipes keep none either.
  const awake = setInterval(() => {}, 1_000);
  t.after(() => clearInterval(awake));
  const server = new GrpcServer({ methods: METHODS });
  const [one, other] = pipePair();
  server.handleConnection(other);
  const client = new GrpcClient(one, "test");
  assert.equal(await streamDigest(client), expectedDigest());
  await assertEchoes(client);
  client.destroy();
  server.close();
  assert.equal(server.streamCount, 0);
});
