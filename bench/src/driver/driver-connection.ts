/**
 * One connection of the load driver: gRPC over HTTP/2 on a raw socket, with as little work per call as Node allows. A
 * benchmark's tool, not a client: it expects an honest server, keeps no promise per call, and any failure that a load did
 * not ask for ends the whole load.
 *
 * Every answer's grpc-status is checked. What the messages say is left to the listeners.
 */
import type { Socket } from "node:net";
import { type AnswerHead, AnswerHeads } from "./answer-heads.js";
import { type CallListener, DriverCall } from "./driver-call.js";
import { FrameOutput } from "./frame-output.js";
import { FrameSplitter } from "./frame-splitter.js";
import {
  Flag,
  FrameType,
  frameHeaderBytes,
  headerTableBytesDefault,
  preface,
  Setting,
  windowBytesDefault,
} from "./http2.js";
import { RequestHeads } from "./request-heads.js";
import { SendQueue } from "./send-queue.js";
import { connectSocket, type DriverTarget } from "./socket.js";

/** A call with any number of messages in both directions. */
export interface DriverStream {
  send(message: Uint8Array): void;
  /** Nothing more will be sent. */
  halfClose(): void;
  /** Ends the call at once; its listener is told nothing more. */
  cancel(): void;
}

export type { CallListener } from "./driver-call.js";

/** Told once, when the connection cannot be used any more or an answer was wrong. */
export type FailureHandler = (error: Error) => void;

/** What the server may send before we must say more: so much that we seldom need to. */
const receiveWindowBytes = 2 ** 30;
/** When so much of a window is used, it is made whole again. */
const windowStepBytes = 2 ** 28;

export class DriverConnection {
  readonly #onFailure: FailureHandler;
  #socket: Socket | undefined;
  readonly #output: FrameOutput;
  readonly #splitter = new FrameSplitter((chunk, from, to) => this.#frame(chunk, from, to));
  readonly #queue: SendQueue;
  readonly #requestHeads: RequestHeads;
  readonly #answerHeads = new AnswerHeads();
  readonly #calls = new Map<number, DriverCall>();
  #nextStreamId = 1;
  #callsMax = Number.POSITIVE_INFINITY;
  #streamWindowBytes = windowBytesDefault;
  #receivedBytes = 0;
  #isOver = false;
  /** While a chunk is read, everything written waits for its end. */
  #isReading = false;
  #isFlushPlanned = false;
  /** Whether the header block that is being read is the end of its stream. */
  #endsStream = false;
  /** The fragments of a header block that takes several frames. */
  #fragments: Uint8Array[] = [];
  #greeted: (() => void) | undefined;

  private constructor(target: DriverTarget, onFailure: FailureHandler) {
    this.#onFailure = onFailure;
    this.#output = new FrameOutput({ write: (bytes, written) => void this.#socket?.write(bytes, written) });
    this.#queue = new SendQueue(this.#output);
    this.#requestHeads = new RequestHeads(`127.0.0.1:${target.port}`, target.certificate !== undefined);
  }

  /** Connects and waits for the server's settings. Rejects when that fails; later failures go to `onFailure`. */
  static async connect(target: DriverTarget, onFailure: FailureHandler): Promise<DriverConnection> {
    const connection = new DriverConnection(target, onFailure);
    const socket = await connectSocket(target, (chunk, length) => connection.#read(chunk, length));
    connection.#socket = socket;
    await connection.#greet(socket);
    return connection;
  }

  /** Calls that have not ended. */
  get openCalls(): number {
    return this.#calls.size;
  }

  /** Makes a call with one message each way. */
  unary(path: string, message: Uint8Array, listener: CallListener): void {
    const call = this.#begin(path, listener, true);
    this.#queue.send(call, message, true);
    this.#planFlush();
  }

  /** Opens a call with any number of messages each way. */
  open(path: string, listener: CallListener): DriverStream {
    const call = this.#begin(path, listener, false);
    this.#planFlush();
    return {
      send: (message) => {
        this.#queue.send(call, message, false);
        this.#planFlush();
      },
      halfClose: () => {
        this.#queue.end(call);
        this.#planFlush();
      },
      cancel: () => this.#cancel(call),
    };
  }

  /** Ends the connection; nobody is told anything more. */
  close(): void {
    this.#isOver = true;
    this.#calls.clear();
    this.#socket?.destroy();
  }

  #greet(socket: Socket): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#greeted = resolve;
      const over = (error: Error): void => {
        reject(error);
        this.#fail(error);
      };
      socket.on("error", over);
      socket.on("close", () => over(new Error("the server closed the connection")));
      this.#output.raw(preface);
      this.#output.settings([
        [Setting.enablePush, 0],
        [Setting.initialWindowSize, receiveWindowBytes],
      ]);
      this.#output.windowUpdate(0, receiveWindowBytes - windowBytesDefault);
      this.#output.flush();
    });
  }

  #begin(path: string, listener: CallListener, isUnary: boolean): DriverCall {
    // Waiting for a free one would be measured as the server's time.
    if (this.#calls.size >= this.#callsMax) throw new Error(`the server allows ${this.#callsMax} calls per connection`);
    const call = new DriverCall(this.#nextStreamId, path, this.#streamWindowBytes, listener, isUnary);
    this.#nextStreamId += 2;
    this.#calls.set(call.id, call);
    this.#output.headers(call.id, this.#requestHeads.block(path));
    return call;
  }

  #cancel(call: DriverCall): void {
    if (call.isEnded || this.#isOver) return;
    this.#end(call);
    this.#output.cancel(call.id);
    this.#planFlush();
  }

  #end(call: DriverCall): void {
    call.isEnded = true;
    this.#calls.delete(call.id);
  }

  /** What is written in one turn leaves in one piece. */
  #planFlush(): void {
    if (this.#isReading || this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    queueMicrotask(() => {
      this.#isFlushPlanned = false;
      if (!this.#isOver) this.#output.flush();
    });
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.close();
    this.#onFailure(error);
  }

  #read(chunk: Uint8Array, length: number): void {
    if (this.#isOver) return;
    this.#isReading = true;
    try {
      this.#splitter.take(chunk, length);
    } catch (error) {
      this.#fail(error as Error);
    }
    this.#isReading = false;
    if (!this.#isOver) this.#output.flush();
  }

  #frame(chunk: Uint8Array, from: number, to: number): void {
    if (this.#isOver) return;
    const payload = from + frameHeaderBytes;
    const flags = chunk[from + 4]!;
    const streamId = uint32(chunk, from + 5) & 0x7fffffff;
    const type = chunk[from + 3];
    if (type === FrameType.data) this.#data(chunk, payload, to, flags, streamId);
    else if (type === FrameType.headers) this.#headers(chunk, payload, to, flags, streamId);
    else if (type === FrameType.continuation) this.#headerBlock(chunk, payload, to, flags, streamId);
    else if (type === FrameType.resetStream) this.#reset(uint32(chunk, payload), streamId);
    else this.#control(chunk, payload, to, type ?? 0, flags, streamId);
  }

  #control(chunk: Uint8Array, payload: number, to: number, type: number, flags: number, streamId: number): void {
    if (type === FrameType.windowUpdate) this.#windowUpdate(uint32(chunk, payload), streamId);
    if (type === FrameType.goAway) throw new Error(`the server says good-bye: ${text(chunk, payload + 8, to)}`);
    if ((flags & Flag.acknowledgement) !== 0) return;
    if (type === FrameType.settings) this.#settings(chunk, payload, to);
    if (type === FrameType.ping) this.#output.pingAcknowledgement(chunk, payload);
  }

  #data(chunk: Uint8Array, payload: number, to: number, flags: number, streamId: number): void {
    this.#receivedBytes += to - payload;
    if (this.#receivedBytes >= windowStepBytes) {
      this.#output.windowUpdate(0, this.#receivedBytes);
      this.#receivedBytes = 0;
    }
    const call = this.#calls.get(streamId);
    if (call === undefined) return;
    const isPadded = (flags & Flag.padded) !== 0;
    const from = isPadded ? payload + 1 : payload;
    call.data(chunk, from, isPadded ? to - chunk[payload]! : to);
    if ((flags & Flag.endStream) !== 0) throw new Error(`${call.path}: the answer ends without a status`);
    call.receivedBytes += to - payload;
    if (call.receivedBytes < windowStepBytes || call.isEnded) return;
    this.#output.windowUpdate(streamId, call.receivedBytes);
    call.receivedBytes = 0;
  }

  #headers(chunk: Uint8Array, payload: number, to: number, flags: number, streamId: number): void {
    this.#endsStream = (flags & Flag.endStream) !== 0;
    let from = payload;
    let end = to;
    if ((flags & Flag.padded) !== 0) {
      end -= chunk[payload]!;
      from += 1;
    }
    if ((flags & Flag.priority) !== 0) from += 5;
    this.#headerBlock(chunk, from, end, flags, streamId);
  }

  #headerBlock(chunk: Uint8Array, from: number, to: number, flags: number, streamId: number): void {
    const isWhole = (flags & Flag.endHeaders) !== 0;
    if (isWhole && this.#fragments.length === 0) {
      this.#answerHead(this.#answerHeads.read(chunk, from, to), streamId);
      return;
    }
    this.#fragments.push(Uint8Array.from(chunk.subarray(from, to)));
    if (!isWhole) return;
    const block = Buffer.concat(this.#fragments);
    this.#fragments = [];
    this.#answerHead(this.#answerHeads.read(block, 0, block.length), streamId);
  }

  #answerHead(head: AnswerHead, streamId: number): void {
    const call = this.#calls.get(streamId);
    if (call === undefined) return;
    if (head.httpStatus !== 200 && (head.httpStatus !== 0 || !this.#endsStream)) {
      throw new Error(`${call.path}: HTTP status ${head.httpStatus}`);
    }
    if (!this.#endsStream) return;
    this.#end(call);
    call.finish(head);
  }

  #reset(code: number, streamId: number): void {
    const call = this.#calls.get(streamId);
    if (call !== undefined) throw new Error(`${call.path}: the server reset the call with code ${code}`);
  }

  #windowUpdate(increment: number, streamId: number): void {
    const call = this.#calls.get(streamId);
    if (streamId === 0) this.#queue.widen(increment);
    else if (call !== undefined) this.#queue.widenStream(call, increment);
  }

  #settings(chunk: Uint8Array, payload: number, to: number): void {
    for (let at = payload; at < to; at += 6) this.#setting((chunk[at]! << 8) | chunk[at + 1]!, uint32(chunk, at + 2));
    this.#output.settingsAcknowledgement();
    this.#greeted?.();
  }

  #setting(setting: number, value: number): void {
    if (setting === Setting.maxConcurrentStreams) this.#callsMax = value;
    if (setting === Setting.headerTableSize && value < headerTableBytesDefault) {
      throw new Error("the server's header table is smaller than usual");
    }
    if (setting !== Setting.initialWindowSize) return;
    const change = value - this.#streamWindowBytes;
    this.#streamWindowBytes = value;
    for (const call of this.#calls.values()) this.#queue.widenStream(call, change);
  }
}

function uint32(chunk: Uint8Array, at: number): number {
  return ((chunk[at]! << 24) | (chunk[at + 1]! << 16) | (chunk[at + 2]! << 8) | chunk[at + 3]!) >>> 0;
}

function text(chunk: Uint8Array, from: number, to: number): string {
  return Buffer.from(chunk.subarray(from, to)).toString();
}
