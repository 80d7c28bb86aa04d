/** Connections of one server that are served differently: by who is at the other end, and by where they came in. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { data, Flag, headers, Type } from "../testing/raw-frames.js";
import { RawPeer } from "../testing/raw-peer.js";
import { GrpcClient } from "./client.js";
import { type PlainRequest, refusePlainRequest } from "./plain-request.js";
import { type ConnectionOptions, GrpcServer } from "./server.js";
import type { Peer } from "./types.js";

const WHO = "/s.S/Who";

interface Trial {
  readonly peers: Peer[];
  readonly plain: string[];
  readonly port: number;
}

/** A server that accepts connections with `options`, and notes who called and what plain requests came. */
async function serve(t: TestContext, options: ConnectionOptions): Promise<Trial> {
  const peers: Peer[] = [];
  const plain: string[] = [];
  const note = (request: PlainRequest): void => {
    plain.push(request.path);
    peers.push(request.peer);
    request.respond(404, [], "no such page\n");
  };
  const server = new GrpcServer({
    methods: [
      {
        kind: "unary",
        path: WHO,
        handle: (request, call) => {
          peers.push(call.peer);
          call.reply(request);
        },
      },
    ],
    onPlainRequest: note,
  });
  const listener = createServer((socket) => server.handleConnection(socket, undefined, options));
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  t.after(() => {
    server.close();
    listener.close();
  });
  return { peers, plain, port: (listener.address() as AddressInfo).port };
}

async function rawPeer(t: TestContext, port: number): Promise<RawPeer> {
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  await once(socket, "connect");
  const peer = new RawPeer(socket);
  peer.greet();
  return peer;
}

const GET: [string, string][] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/page"],
  [":authority", "me"],
];
const CALL: [string, string][] = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", WHO],
  [":authority", "me"],
  ["te", "trailers"],
  ["content-type", "application/grpc"],
];

test("the name in a client's certificate reaches calls and plain requests", async (t) => {
  const trial = await serve(t, { certificateName: "alice" });
  const client = await GrpcClient.connect({ host: "127.0.0.1", port: trial.port });
  t.after(() => client.destroy());
  await client.unary(WHO, new Uint8Array(0));
  const peer = await rawPeer(t, trial.port);
  peer.send(headers(1, GET, Flag.endStream));
  await peer.nextHeaders(1);
  assert.deepEqual(
    trial.peers.map(({ certificateName }) => certificateName),
    ["alice", "alice"],
  );
});

test("without a certificate there is no name", async (t) => {
  const trial = await serve(t, {});
  const client = await GrpcClient.connect({ host: "127.0.0.1", port: trial.port });
  t.after(() => client.destroy());
  await client.unary(WHO, new Uint8Array(0));
  assert.equal(trial.peers[0].certificateName, undefined);
});

test("where gRPC is not served, a call is a plain request like any other", async (t) => {
  const trial = await serve(t, { grpc: false });
  const peer = await rawPeer(t, trial.port);
  peer.send(headers(1, CALL), data(1, Buffer.alloc(5), Flag.endStream));
  assert.equal((await peer.nextHeaders(1)).get(":status"), "404");
  assert.equal((await peer.nextOf(Type.data, 1)).payload.toString(), "no such page\n");
  assert.deepEqual(trial.plain, [WHO]);
});

test("plain requests of one connection may be refused while others are served", async (t) => {
  const trial = await serve(t, { onPlainRequest: refusePlainRequest });
  const peer = await rawPeer(t, trial.port);
  peer.send(headers(1, GET, Flag.endStream));
  assert.equal((await peer.nextHeaders(1)).get(":status"), "415");
  peer.send(headers(3, CALL), data(3, Buffer.alloc(5), Flag.endStream));
  assert.equal((await peer.nextHeaders(3)).get(":status"), "200");
  assert.deepEqual(trial.plain, []);
});
