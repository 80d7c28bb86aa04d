/**
 * The sending half of flow control (RFC 9113, 5.2 and 6.9): what may go out goes straight to the output; the rest
 * waits in its stream and follows in turns of one frame, so that no stream starves another.
 */
import type { HeaderFields } from "../hpack/index.js";
import type { TransportLimits } from "../limits.js";
import { writeData, writeFrameHeader } from "./frame-writer.js";
import type { HeaderOutput } from "./header-output.js";
import { DATA, FLAG_END_STREAM, FRAME_BYTES_DEFAULT, WINDOW_DEFAULT, WINDOW_LARGEST } from "./protocol.js";
import { SendQueue } from "./send-queue.js";
import type { SocketWriter } from "./socket-writer.js";
import type { UnsentAccount } from "./unsent-budget.js";

/** The sending side of a stream. The fields belong to `SendFlow`. */
export interface Sender {
  readonly id: number;
  /** Bytes the peer lets this stream send; negative after a lowered setting. */
  sendWindow: number;
  /** Bytes in `queue`. */
  queuedBytes: number;
  queue: SendQueue | undefined;
  /** Stands in the line of streams that may send. */
  sendReady: boolean;
  /** Was told to hold back (`SendFlow.holdsBack`, or too many bytes of its own); `drained` will follow. */
  drainOwed: boolean;
  /** END_STREAM was written. */
  sendingDone(): void;
  /** Need not hold back any longer. */
  drained(): void;
}

const NOTHING = new Uint8Array(0);
/** A window that no update opens again. */
const WINDOW_SHUT = -(2 ** 40);

/** One per connection. Frames are no larger than the default size, which every peer accepts. */
export class SendFlow {
  /** Bytes the peer lets the connection send. */
  window = WINDOW_DEFAULT;
  /** SETTINGS_INITIAL_WINDOW_SIZE of the peer. */
  initialStreamWindow = WINDOW_DEFAULT;
  /** Bytes of all streams that wait for a window or for the socket. */
  queuedBytes = 0;
  /** DATA frames written so far. */
  framesSent = 0;
  /** Bytes that had to wait and were written since. */
  queuedBytesSent = 0;
  readonly #writer: SocketWriter;
  readonly #headers: HeaderOutput;
  readonly #limits: TransportLimits;
  /** Streams with bytes waiting and window left; those before `#readyHead` are done. */
  #ready: Sender[] = [];
  #readyHead = 0;
  /** Streams that hold back although few bytes of their own wait: they wait for the connection to recover. */
  #relieved: Set<Sender> | undefined = undefined;
  /** With more unsent bytes than this the connection is congested. */
  readonly #congestedBytes: number;
  /** The same while memory for all connections is tight. */
  readonly #tightBytes: number;
  readonly #account: UnsentAccount;

  constructor(writer: SocketWriter, headers: HeaderOutput, limits: TransportLimits, account: UnsentAccount) {
    this.#writer = writer;
    this.#headers = headers;
    this.#limits = limits;
    this.#account = account;
    this.#congestedBytes = limits.unsentBytesPerConnectionMax / 2;
    this.#tightBytes = Math.min(this.#congestedBytes, limits.callHighWaterBytes);
  }

  /** Bytes of the connection that wait for the peer, wherever they stand. */
  get unsentBytes(): number {
    return this.queuedBytes + this.#writer.backlogBytes;
  }

  /** More waits for the peer than is good: nothing should begin that adds to it (`unsentBytesPerConnectionMax`). */
  get congested(): boolean {
    const bytes = this.unsentBytes;
    return bytes > this.#tightBytes && (bytes > this.#congestedBytes || this.#account.tight);
  }

  /** Has what waits now counted among all that waits (`unsentBytesTotalMax`). */
  settle(): void {
    this.#account.settle(this.unsentBytes, this.queuedBytesSent, 0);
  }

  /** The connection will end: from now on nothing is sent, so that no answer goes out with a part left out. */
  shut(): void {
    this.window = WINDOW_SHUT;
  }

  /**
   * True if the stream should send no more for now: too many of its own bytes wait, or the connection is congested and
   * another message would have to wait with the rest. A stream that can write at once goes on, whatever others wait
   * for. Whoever is told to hold back hears `drained`.
   */
  holdsBack(sender: Sender): boolean {
    if (sender.drainOwed) return true;
    if (!this.congested || this.#canWrite(sender)) return false;
    sender.drainOwed = true;
    if (sender.queuedBytes <= this.#limits.callLowWaterBytes) this.#relieve(sender);
    return true;
  }

  /** Whether a DATA frame with `byteCount` bytes may be written at once. */
  admits(sender: Sender, byteCount: number): boolean {
    return (
      sender.queuedBytes === 0 &&
      byteCount <= sender.sendWindow &&
      byteCount <= this.window &&
      byteCount <= FRAME_BYTES_DEFAULT &&
      this.#writer.output.length < this.#limits.socketBacklogBytesMax
    );
  }

  /** Takes `byteCount` bytes, which `admits` allowed and the caller wrote, from the windows. */
  spend(sender: Sender, byteCount: number): void {
    sender.sendWindow -= byteCount;
    this.window -= byteCount;
    this.framesSent++;
  }

  /**
   * Sends `head` and `body`, now or when the windows allow it; both are copied. `last` ends the stream with them.
   * Nothing is refused, for an answer has no limit (LIM-3): whoever streams asks `overflows` before.
   */
  send(sender: Sender, head: Uint8Array, body: Uint8Array, last: boolean): void {
    const byteCount = head.length + body.length;
    if (!this.admits(sender, byteCount)) this.#makeRoom();
    if (this.admits(sender, byteCount)) this.#writeFrame(sender, head, body, last);
    else if (byteCount > FRAME_BYTES_DEFAULT && this.#admitsFrameAtOnce(sender))
      this.#sendLong(sender, head, body, last);
    else this.#enqueue(sender, head, body, last);
  }

  /**
   * What does not fit into a frame, in full frames as long as windows and socket take them; the rest waits. In the queue all
   * of it would take new memory, which costs more than encoding it.
   */
  #sendLong(sender: Sender, head: Uint8Array, body: Uint8Array, last: boolean): void {
    this.#writer.output.expect(Math.min(head.length + body.length, this.#limits.socketBacklogBytesMax));
    let sent = FRAME_BYTES_DEFAULT - head.length;
    this.#writeFrame(sender, head, body.subarray(0, sent), false);
    while (body.length - sent > FRAME_BYTES_DEFAULT && this.#admitsFrameAtOnce(sender)) {
      const end = sent + FRAME_BYTES_DEFAULT;
      this.#writeFrame(sender, NOTHING, body.subarray(sent, end), false);
      sent = end;
    }
    const rest = body.subarray(sent);
    if (this.admits(sender, rest.length)) this.#writeFrame(sender, NOTHING, rest, last);
    else this.#enqueue(sender, NOTHING, rest, last);
  }

  /** Whether a full frame may be written, after what stands ready has left: not while another stream waits for its turn. */
  #admitsFrameAtOnce(sender: Sender): boolean {
    if (this.#outputFull()) this.#makeRoom();
    return this.#ready.length === 0 && this.admits(sender, FRAME_BYTES_DEFAULT);
  }

  /** Of bytes that `admits` allowed. */
  #writeFrame(sender: Sender, head: Uint8Array, body: Uint8Array, last: boolean): void {
    writeData(this.#writer.output, sender.id, head, body, last);
    this.spend(sender, head.length + body.length);
    if (last) sender.sendingDone();
  }

  /**
   * True if so many bytes of the stream itself wait that it may add no message (`unsentBytesPerCallMax`), even after
   * all that can leave now has left. What other streams wait for does not count.
   */
  overflows(sender: Sender): boolean {
    const { unsentBytesPerCallMax } = this.#limits;
    if (sender.queuedBytes < unsentBytesPerCallMax) return false;
    this.#makeRoom();
    return sender.queuedBytes >= unsentBytesPerCallMax;
  }

  /** Ends the stream after what waits: with trailers, or with END_STREAM on DATA. */
  finish(sender: Sender, trailers: HeaderFields | undefined): void {
    if (this.#account.ended) return;
    if (sender.queuedBytes > 0) {
      sender.queue!.trailers = trailers;
      sender.queue!.endsWithData = trailers === undefined;
      return;
    }
    this.#writeEnd(sender, trailers);
  }

  /** Forgets what waits in a stream that was reset or lost. */
  discard(sender: Sender): void {
    this.queuedBytes -= sender.queuedBytes;
    sender.queuedBytes = 0;
    sender.queue = undefined;
    sender.drainOwed = false;
    this.#relieved?.delete(sender);
  }

  /** Widens the window of a stream. False if it overflows (6.9.1). */
  widenStream(sender: Sender, increment: number): boolean {
    sender.sendWindow += increment;
    if (sender.sendWindow > WINDOW_LARGEST) return false;
    if (sender.queuedBytes > 0) this.#makeReady(sender);
    return true;
  }

  /** Widens the window of the connection. False if it overflows (6.9.1). */
  widenConnection(increment: number): boolean {
    this.window += increment;
    return this.window <= WINDOW_LARGEST;
  }

  /** Writes all that windows and socket allow, then wakes the streams that have drained. */
  flush(): void {
    this.#writeWaiting();
    if (this.#relieved !== undefined) this.#wakeRelieved(this.#relieved);
  }

  /** Fills the output from the queues and hands it to the socket, until one of them is empty or the socket is busy. */
  #writeWaiting(): void {
    do {
      this.#fillOutput();
      this.#writer.flush();
    } while (!this.#writer.busy && this.#ready.length > 0 && this.window > 0);
  }

  #fillOutput(): void {
    const output = this.#writer.output;
    while (this.#readyHead < this.#ready.length) {
      if (this.window <= 0 || output.length >= this.#limits.socketBacklogBytesMax) break;
      const sender = this.#ready[this.#readyHead++];
      sender.sendReady = false;
      if (sender.queuedBytes > 0) this.#sendFrame(sender, sender.queue!);
    }
    if (this.#readyHead > 0) this.#forgetDone();
  }

  #forgetDone(): void {
    this.#ready = this.#readyHead === this.#ready.length ? [] : this.#ready.slice(this.#readyHead);
    this.#readyHead = 0;
  }

  #sendFrame(sender: Sender, queue: SendQueue): void {
    const count = Math.min(sender.queuedBytes, sender.sendWindow, this.window, FRAME_BYTES_DEFAULT);
    if (count <= 0) return;
    const last = queue.endsWithData && count === sender.queuedBytes;
    this.#writeFromQueue(sender, queue, count, last);
    if (sender.queuedBytes > 0) this.#makeReady(sender);
    else if (last) sender.sendingDone();
    else if (queue.trailers !== undefined) this.#writeEnd(sender, queue.trailers);
    this.#noteRelief(sender, count);
  }

  /** Puts a stream that holds back and whose bytes just fell to the low-water mark in the line of those to wake. */
  #noteRelief(sender: Sender, sentBytes: number): void {
    const low = this.#limits.callLowWaterBytes;
    if (sender.drainOwed && sender.queuedBytes <= low && sender.queuedBytes + sentBytes > low) this.#relieve(sender);
  }

  #relieve(sender: Sender): void {
    this.#relieved ??= new Set();
    this.#relieved.add(sender);
  }

  #writeFromQueue(sender: Sender, queue: SendQueue, count: number, last: boolean): void {
    const output = this.#writer.output;
    const payload = writeFrameHeader(output, count, DATA, last ? FLAG_END_STREAM : 0, sender.id);
    output.length = payload;
    queue.moveTo(output, count);
    this.spend(sender, count);
    sender.queuedBytes -= count;
    this.queuedBytes -= count;
    this.queuedBytesSent += count;
  }

  #writeEnd(sender: Sender, trailers: HeaderFields | undefined): void {
    if (trailers === undefined) writeData(this.#writer.output, sender.id, NOTHING, NOTHING, true);
    else this.#headers.write(sender.id, trailers, true);
    sender.sendingDone();
  }

  /**
   * A turn that produces more than the output should hold: the socket gets it now, so that what counts as waiting is
   * what the peer does not take, and not what one turn happens to produce.
   */
  #makeRoom(): void {
    if (this.#writer.busy) return;
    if (this.#outputFull() || this.congested) this.#writeWaiting();
  }

  /** Sends `bytes` like `send`; they are given away and not copied, until they leave. */
  sendOwn(sender: Sender, bytes: Uint8Array): void {
    if (this.#account.ended || bytes.length === 0) return;
    sender.queue ??= new SendQueue();
    sender.queue.appendOwn(bytes);
    this.#noteWaiting(sender, bytes.length);
  }

  #enqueue(sender: Sender, head: Uint8Array, body: Uint8Array, last: boolean): void {
    if (this.#account.ended) return;
    sender.queue ??= new SendQueue();
    sender.queue.append(head);
    sender.queue.append(body);
    sender.queue.endsWithData = last;
    this.#noteWaiting(sender, head.length + body.length);
  }

  #noteWaiting(sender: Sender, byteCount: number): void {
    sender.queuedBytes += byteCount;
    this.queuedBytes += byteCount;
    this.#makeReady(sender);
    if (sender.queuedBytes > this.#limits.callHighWaterBytes) sender.drainOwed = true;
    this.#account.settle(this.unsentBytes, this.queuedBytesSent, sender.queuedBytes);
  }

  #makeReady(sender: Sender): void {
    if (sender.sendReady || sender.sendWindow <= 0) return;
    sender.sendReady = true;
    this.#ready.push(sender);
  }

  /** Whether a message of the stream would begin to leave now. */
  #canWrite(sender: Sender): boolean {
    return sender.queuedBytes === 0 && sender.sendWindow > 0 && this.window > 0 && !this.#outputFull();
  }

  #outputFull(): boolean {
    return this.#writer.output.length >= this.#limits.socketBacklogBytesMax;
  }

  /** While the connection is congested, only those go on that can write beside what waits. */
  #wakeRelieved(relieved: Set<Sender>): void {
    if (this.congested && (this.window <= 0 || this.#outputFull())) return;
    this.#relieved = undefined;
    for (const sender of relieved) {
      if (!sender.drainOwed || sender.queuedBytes > this.#limits.callLowWaterBytes) continue;
      if (this.congested && !this.#canWrite(sender)) {
        this.#relieve(sender);
        continue;
      }
      sender.drainOwed = false;
      sender.drained();
    }
  }
}
