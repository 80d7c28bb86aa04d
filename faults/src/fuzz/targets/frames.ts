/**
 * HTTP/2 connections, on a socket without a network (fault model F41, F42, F17): whatever a client sends, in whatever
 * pieces, nothing is thrown; when it is gone, no stream, no byte and no timer of it is left; other connections are served.
 * The same bytes in other pieces begin the same calls.
 */
import { GrpcServer, type Method } from "@holdfast/transport";
import { ManualClock, MemorySocket } from "@holdfast/transport/testing";
import * as raw from "../../attacks/frames.js";
import { FrameStream } from "../frame-stream.js";
import type { FuzzTarget } from "../fuzz-target.js";
import { pieces } from "../pieces.js";
import type { Random } from "../random.js";

const echo = "/fuzz.Fuzz/Echo";
const hold = "/fuzz.Fuzz/Hold";
const stream = "/fuzz.Fuzz/Stream";
const chat = "/fuzz.Fuzz/Chat";

/** One in so many inputs is followed by an honest call on a connection of its own. */
const honestOneIn = 16;
/** Long enough for every limit of the transport that is measured in time. */
const allTimesMs = 200_000;

/** An input: how it is cut into pieces (four bytes), then what the client sends. */
export class FramesTarget implements FuzzTarget {
  readonly name = "frames";
  readonly #clock = new ManualClock();
  readonly #server: GrpcServer;
  /** The calls begun on the connection at hand: path and what came. */
  #begun: string[] = [];
  #calls = 0;
  #connections = 0;

  constructor() {
    this.#server = new GrpcServer({ methods: this.#methods(), clock: this.#clock });
  }

  generate(random: Random): Buffer {
    const cuts = Buffer.alloc(4);
    cuts.writeUInt32BE(random.chance(3) ? 0 : random.next());
    const bodies = (): Buffer => random.bytes(random.length(random.chance(30) ? 70_000 : 200));
    return Buffer.concat([cuts, new FrameStream(random, [echo, echo, hold, stream, chat], bodies).bytes()]);
  }

  async run(input: Buffer): Promise<void> {
    if (input.length < 4) return;
    const bytes = input.subarray(4);
    const whole = await this.#connection([bytes]);
    const cut = await this.#connection(pieces(bytes, input.readUInt32BE(0)));
    if (whole.join() !== cut.join()) {
      throw new Error(`in one piece it begins the calls [${whole.join()}], in others [${cut.join()}]`);
    }
    this.#connections += 2;
    this.#calls += whole.length;
    if (this.#connections % (2 * honestOneIn) === 0) this.#honestCall();
  }

  check(): void {
    this.#honestCall();
  }

  close(): void {
    this.#server.close();
  }

  figures(): string {
    const { connectionErrors, resetsSent } = this.#server.counters;
    return `${this.#calls} calls begun, ${connectionErrors} connections ended, ${resetsSent} streams reset`;
  }

  /** Sends the pieces on a connection of its own, and returns what was begun. */
  async #connection(parts: readonly Buffer[]): Promise<readonly string[]> {
    this.#begun = [];
    const socket = new MemorySocket();
    this.#server.handleConnection(socket, parts[0]);
    for (const part of parts.slice(1)) socket.receive(part);
    await turn();
    this.#clock.advance(allTimesMs);
    socket.destroy();
    await turn();
    this.#assertNothingLeft();
    return this.#begun;
  }

  #assertNothingLeft(): void {
    const { connectionCount, streamCount, bufferedBytes } = this.#server;
    const { timerCount } = this.#clock;
    if (connectionCount + streamCount + bufferedBytes + timerCount === 0) return;
    throw new Error(
      `left behind: ${connectionCount} connections, ${streamCount} streams, ${bufferedBytes} bytes, ${timerCount} timers`,
    );
  }

  #honestCall(): void {
    const socket = new MemorySocket();
    const body = Buffer.from("somebody else");
    this.#server.handleConnection(
      socket,
      Buffer.concat([raw.PREFACE, raw.settings(), raw.unaryRequest(1, echo, body)]),
    );
    if (!socket.sent.includes(raw.message(body)))
      throw new Error("an honest call on another connection gets no answer");
    socket.destroy();
  }

  #methods(): Method[] {
    const begin = (path: string, bytes: Uint8Array): void => {
      this.#begun.push(`${path} ${Buffer.from(bytes).toString("hex").slice(0, 80)} ${bytes.length}`);
    };
    return [
      {
        kind: "unary",
        path: echo,
        handle: (request, call) => {
          begin(echo, request);
          call.reply(request);
        },
      },
      { kind: "unary", path: hold, handle: (request) => begin(hold, request) },
      {
        kind: "serverStream",
        path: stream,
        handle: (request, call) => {
          begin(stream, request);
          for (let left = 3; left > 0; left--) call.send(request);
        },
      },
      {
        kind: "bidi",
        path: chat,
        open: (call) => ({
          message: (bytes) => {
            begin(chat, bytes);
            call.send(bytes);
          },
          halfClose: () => call.end({ code: 0, message: "" }),
        }),
      },
    ];
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
