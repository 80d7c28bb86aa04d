/** A server on a loopback port with the methods that tests call, a clock that stands still, and peers to attack it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { GrpcClient, type GrpcClientOptions } from "../grpc/client.js";
import type { PlainRequestHandler } from "../grpc/plain-request.js";
import { GrpcServer } from "../grpc/server.js";
import type { CallEndListener } from "../grpc/server-call.js";
import type { CancelReason, Method, ServerCall } from "../grpc/types.js";
import type { TransportLimits } from "../limits.js";
import { ManualClock } from "./manual-clock.js";
import { within } from "./patience.js";
import { RawPeer } from "./raw-peer.js";

export const ECHO = "/test.Svc/Echo";
/** A unary method that never answers by itself; see `held`. */
export const HOLD = "/test.Svc/Hold";
/** A server stream that sends nothing by itself; see `held`. */
export const STREAM = "/test.Svc/Stream";
/** A bidi method that sends each message back and ends when the client does. */
export const CHAT = "/test.Svc/Chat";

export interface TestServerOptions {
  readonly limits?: Partial<TransportLimits>;
  readonly methods?: readonly Method[];
  readonly onPlainRequest?: PlainRequestHandler;
  readonly onHandlerError?: (path: string, error: unknown) => void;
  readonly onCallEnded?: CallEndListener;
}

export class TestServer {
  readonly clock = new ManualClock();
  readonly grpc: GrpcServer;
  /** Calls that wait to be answered by the test. */
  readonly held: ServerCall[] = [];
  /** Why calls were cancelled, in order. */
  readonly cancelled: CancelReason[] = [];
  /** Handlers started. */
  started = 0;
  readonly #listener: Server;
  readonly #sockets: Socket[] = [];
  readonly #peers: RawPeer[] = [];
  readonly #clients: GrpcClient[] = [];
  #onHeld: (() => void) | undefined = undefined;
  #onCancelled: (() => void) | undefined = undefined;

  private constructor(options: TestServerOptions) {
    this.grpc = new GrpcServer({
      methods: [...this.#methods(), ...(options.methods ?? [])],
      clock: this.clock,
      // Tests ping to learn that everything was handled; those of F34 set their own limit.
      limits: { pingStrikesMax: 1_000_000, ...options.limits },
      onPlainRequest: options.onPlainRequest,
      onHandlerError: options.onHandlerError,
      onCallEnded: options.onCallEnded,
    });
    this.#listener = createServer((socket) => {
      this.#sockets.push(socket);
      this.grpc.handleConnection(socket);
    });
  }

  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const server = new TestServer(options);
    server.#listener.listen(0, "127.0.0.1");
    await once(server.#listener, "listening");
    return server;
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  /** A connected peer that has sent nothing yet. */
  async silentPeer(): Promise<RawPeer> {
    const socket = connect(this.port, "127.0.0.1");
    const peer = new RawPeer(socket);
    this.#peers.push(peer);
    await once(socket, "connect");
    return peer;
  }

  /** A peer whose greeting is done. */
  async peer(...settings: readonly (readonly [number, number])[]): Promise<RawPeer> {
    const peer = await this.silentPeer();
    peer.greet(...settings);
    await peer.roundTrip();
    return peer;
  }

  async client(options: GrpcClientOptions = {}): Promise<GrpcClient> {
    const client = await GrpcClient.connect({ host: "127.0.0.1", port: this.port }, options);
    this.#clients.push(client);
    return client;
  }

  /** Resolves with the oldest call that waits. */
  async nextHeld(): Promise<ServerCall> {
    while (this.held.length === 0) {
      const held = new Promise<void>((resolve) => {
        this.#onHeld = resolve;
      });
      await within("a call", held);
    }
    return this.held.shift()!;
  }

  /** Resolves once `count` calls were cancelled. */
  async untilCancelled(count: number): Promise<void> {
    while (this.cancelled.length < count) {
      const cancelled = new Promise<void>((resolve) => {
        this.#onCancelled = resolve;
      });
      await within("a cancellation", cancelled);
    }
  }

  /** Moves the clock on in steps of one sweep, giving sockets a turn after each. */
  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 250) {
      this.clock.advance(Math.min(left, 250));
      await turn();
    }
  }

  /** After any attack: the connection is gone, and no stream or byte is left behind. */
  async assertGone(peer: { readonly closed: Promise<unknown> }): Promise<void> {
    await this.advance(1_000);
    await peer.closed;
    while (this.grpc.connectionCount > 0) await this.advance(250);
    assert.equal(this.grpc.streamCount, 0);
  }

  /** Reads nothing more from any connection: to its peers the server has frozen. */
  deafen(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    for (const peer of this.#peers) peer.socket.destroy();
    this.grpc.close();
    this.#listener.close();
    await once(this.#listener, "close");
  }

  #methods(): Method[] {
    return [
      { kind: "unary", path: ECHO, handle: (request, call) => this.#start(() => call.reply(request)) },
      { kind: "unary", path: HOLD, handle: (_, call) => this.#start(() => this.#hold(call)) },
      { kind: "serverStream", path: STREAM, handle: (_, call) => this.#start(() => this.#hold(call)) },
      { kind: "bidi", path: CHAT, open: (call) => this.#chat(call) },
    ];
  }

  #start(handle: () => void): void {
    this.started++;
    handle();
  }

  #hold(call: ServerCall): void {
    call.onCancel((reason) => this.#noteCancel(reason));
    this.held.push(call);
    this.#onHeld?.();
  }

  #noteCancel(reason: CancelReason): void {
    this.cancelled.push(reason);
    this.#onCancelled?.();
  }

  #chat(call: ServerCall): { message(bytes: Uint8Array): void; halfClose(): void } {
    this.#start(() => this.#hold(call));
    return {
      message: (bytes) => call.send(bytes),
      halfClose: () => call.end({ code: 0, message: "" }),
    };
  }
}

/** One turn of the event loop, in which sockets that have something to say are read. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A server that stops with its test. */
export async function serve(t: TestContext, options: TestServerOptions = {}): Promise<TestServer> {
  const server = await TestServer.start(options);
  t.after(() => server.stop());
  return server;
}
