/**
 * One connection of a crowd that asks for more than it can get: as many calls in flight as it is told, each followed by the
 * next whatever became of it. It keeps to HTTP/2 and its windows; a refusal, a reset or a closed connection is counted and
 * ends nothing else. It may stop reading.
 */
import type { Socket } from "node:net";
import { AnswerHeads } from "../driver/answer-heads.js";
import { FrameOutput } from "../driver/frame-output.js";
import { FrameSplitter } from "../driver/frame-splitter.js";
import { Flag, FrameType, frameHeaderBytes, preface, Setting, windowBytesDefault } from "../driver/http2.js";
import { RequestHeads } from "../driver/request-heads.js";
import { type SendingStream, SendQueue } from "../driver/send-queue.js";
import { connectSocket, type DriverTarget } from "../driver/socket.js";

/** What became of the calls of a whole crowd. */
export interface FloodCounts {
  /** Answered with status 0. */
  answered: number;
  /** Answered with another status, or reset. */
  refused: number;
  /** Connections that the server closed. */
  closed: number;
}

/** One kind of call. */
export interface FloodRequest {
  readonly path: string;
  readonly message: Uint8Array;
}

/** What one connection asks for. */
export interface FloodPlan {
  readonly callsInFlight: number;
  /** In turn. */
  readonly requests: readonly FloodRequest[];
  /** Whether it takes what the server sends. */
  readonly reads: boolean;
}

const receiveWindowBytes = 2 ** 30;
const windowStepBytes = 2 ** 28;

export class FloodConnection {
  readonly #counts: FloodCounts;
  readonly #output: FrameOutput;
  readonly #queue: SendQueue;
  readonly #heads: RequestHeads;
  readonly #answerHeads = new AnswerHeads();
  readonly #splitter = new FrameSplitter((chunk, from, to) => this.#frame(chunk, from, to));
  readonly #calls = new Map<number, SendingStream>();
  #socket: Socket | undefined;
  #plan: FloodPlan | undefined;
  #nextStreamId = 1;
  #nextRequest = 0;
  #streamWindowBytes = windowBytesDefault;
  #receivedBytes = 0;
  #isOver = false;
  #greeted: (isServed: boolean) => void = () => {};

  private constructor(port: number, counts: FloodCounts) {
    this.#counts = counts;
    this.#output = new FrameOutput({ write: (bytes, written) => void this.#socket?.write(bytes, written) });
    this.#queue = new SendQueue(this.#output);
    this.#heads = new RequestHeads(`127.0.0.1:${port}`, false);
  }

  /** Undefined when the server closes the connection instead of greeting it. */
  static async connect(target: DriverTarget, counts: FloodCounts): Promise<FloodConnection | undefined> {
    const connection = new FloodConnection(target.port, counts);
    const isServed = await connection.#connect(target);
    return isServed ? connection : undefined;
  }

  /** Begins, or changes, what it asks for; without a plan, no further call begins. */
  follow(plan: FloodPlan | undefined): void {
    this.#plan = plan;
    if (this.#isOver) return;
    if (plan?.reads === false) this.#socket?.pause();
    else this.#socket?.resume();
    while (plan !== undefined && this.#calls.size < plan.callsInFlight) this.#call(plan);
    this.#output.flush();
  }

  close(): void {
    this.#isOver = true;
    this.#socket?.destroy();
  }

  async #connect(target: DriverTarget): Promise<boolean> {
    const greeted = new Promise<boolean>((resolve) => {
      this.#greeted = resolve;
    });
    try {
      this.#socket = await connectSocket(target, (chunk, length) => this.#read(chunk, length));
    } catch {
      return false;
    }
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => this.#closed());
    this.#output.raw(preface);
    this.#output.settings([[Setting.initialWindowSize, receiveWindowBytes]]);
    this.#output.windowUpdate(0, receiveWindowBytes - windowBytesDefault);
    this.#output.flush();
    return greeted;
  }

  #closed(): void {
    if (!this.#isOver) this.#counts.closed += 1;
    this.#isOver = true;
    this.#greeted(false);
  }

  #call({ requests }: FloodPlan): void {
    const request = requests[this.#nextRequest++ % requests.length]!;
    const stream = { id: this.#nextStreamId, sendWindowBytes: this.#streamWindowBytes, isEnded: false };
    this.#nextStreamId += 2;
    this.#calls.set(stream.id, stream);
    this.#output.headers(stream.id, this.#heads.block(request.path));
    this.#queue.send(stream, request.message, true);
  }

  #ended(streamId: number, isAnswered: boolean): void {
    const stream = this.#calls.get(streamId);
    if (stream === undefined) return;
    stream.isEnded = true;
    this.#calls.delete(streamId);
    if (isAnswered) this.#counts.answered += 1;
    else this.#counts.refused += 1;
    if (this.#plan !== undefined && this.#calls.size < this.#plan.callsInFlight) this.#call(this.#plan);
  }

  #read(chunk: Uint8Array, length: number): void {
    if (this.#isOver) return;
    this.#splitter.take(chunk, length);
    this.#output.flush();
  }

  #frame(chunk: Uint8Array, from: number, to: number): void {
    const payload = from + frameHeaderBytes;
    const flags = chunk[from + 4]!;
    const streamId = uint32(chunk, from + 5);
    const type = chunk[from + 3];
    if (type === FrameType.data) this.#received(to - payload);
    else if (type === FrameType.headers) this.#head(chunk, payload, to, flags, streamId);
    else if (type === FrameType.resetStream) this.#ended(streamId, false);
    else if (type === FrameType.windowUpdate) this.#widen(uint32(chunk, payload), streamId);
    else if (type === FrameType.settings && (flags & Flag.acknowledgement) === 0) this.#settings(chunk, payload, to);
    else if (type === FrameType.ping && (flags & Flag.acknowledgement) === 0) {
      this.#output.pingAcknowledgement(chunk, payload);
    }
  }

  #received(bytes: number): void {
    this.#receivedBytes += bytes;
    if (this.#receivedBytes < windowStepBytes) return;
    this.#output.windowUpdate(0, this.#receivedBytes);
    this.#receivedBytes = 0;
  }

  /** Every block must be read, since it may change the table of the next ones. */
  #head(chunk: Uint8Array, from: number, to: number, flags: number, streamId: number): void {
    if ((flags & Flag.endHeaders) === 0) throw new Error("an answer's headers take several frames");
    const { grpcStatus } = this.#answerHeads.read(chunk, from, to);
    if ((flags & Flag.endStream) !== 0) this.#ended(streamId, grpcStatus === 0);
  }

  #widen(increment: number, streamId: number): void {
    const stream = this.#calls.get(streamId);
    if (streamId === 0) this.#queue.widen(increment);
    else if (stream !== undefined) this.#queue.widenStream(stream, increment);
  }

  #settings(chunk: Uint8Array, payload: number, to: number): void {
    for (let at = payload; at < to; at += 6) {
      const setting = (chunk[at]! << 8) | chunk[at + 1]!;
      if (setting === Setting.initialWindowSize) this.#streamWindowBytes = uint32(chunk, at + 2);
    }
    this.#output.settingsAcknowledgement();
    this.#greeted(true);
  }
}

function uint32(chunk: Uint8Array, at: number): number {
  return ((chunk[at]! << 24) | (chunk[at + 1]! << 16) | (chunk[at + 2]! << 8) | chunk[at + 3]!) >>> 0;
}
