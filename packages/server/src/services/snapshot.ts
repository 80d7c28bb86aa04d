/**
 * Maintenance.Snapshot: the state as a file, in messages of at most 32 KiB that count down what remains, and behind them
 * the SHA-256 of everything before (MAINT-9). What the file holds is `snapshot-file/`'s affair.
 *
 * How long the file is must be known before its first byte is sent, so the state, held still, is encoded twice. Nothing of
 * it is kept: a client that reads slowly costs no memory for the file. What it does cost is that compacted history stays
 * until the state may move again, so the time it may take is bounded, and how many may do so at once.
 */
import { createHash, type Hash } from "node:crypto";
import { encodeSharedSnapshotResponse, etcdErrors, StatusCode } from "@holdfast/protocol";
import type { FrozenState, Refusal } from "@holdfast/state-machine";
import type { ServerCall, Status } from "@holdfast/transport";
import { invalidToken } from "../access/access.js";
import { snapshotFileParts } from "../snapshot-file/write.js";
import type { ServiceContext } from "./context.js";
import type { OpenRight } from "./open-rights.js";
import { okStatus, statusOf, statusOfRefusal } from "./status.js";

/** etcd's own, which clients may count on. */
const blobBytesMax = 32_768;
/** Bytes of a pass over the state before the event loop turns. */
const sliceBytes = 256 * 1024;
/** What a part counts for besides its bytes: some come of much looking and hold none. */
const partCostBytes = 32 * 1024;

const tooSlowStatus = { code: StatusCode.deadlineExceeded, message: "the snapshot was read too slowly" };
const noBytes = new Uint8Array(0);

/** The snapshots that are being sent. */
export class Snapshots {
  readonly #context: ServiceContext;
  readonly #version: string;
  #open = 0;

  /** `version` is repeated in every message. */
  constructor(context: ServiceContext, version: string) {
    this.#context = context;
    this.#version = version;
  }

  /** Answers a Snapshot call. */
  send(call: ServerCall): void {
    if (this.#open >= this.#context.limits.snapshotsAtOnce) {
      this.#context.limitHits.count("snapshotsAtOnce");
      call.end(statusOf(etcdErrors.requestTooManyRequests));
      return;
    }
    this.#open += 1;
    new SnapshotStream(call, this.#context, this.#version, () => {
      this.#open -= 1;
    }).run();
  }
}

class SnapshotStream {
  readonly #call: ServerCall;
  readonly #context: ServiceContext;
  readonly #version: string;
  readonly #onClosed: () => void;
  readonly #frozen: FrozenState;
  readonly #right: OpenRight | undefined;
  readonly #hash: Hash = createHash("sha256");
  readonly #blob = Buffer.allocUnsafe(blobBytesMax);
  #blobBytes = 0;
  #remainingBytes = 0;
  #isCounting = true;
  #parts: Iterator<Uint8Array>;
  #part: Uint8Array = noBytes;
  /** How much of `#part` is done with. */
  #partAt = 0;
  #scheduled = false;
  #isClosed = false;
  #stopTimer: (() => void) | undefined;

  constructor(call: ServerCall, context: ServiceContext, version: string, onClosed: () => void) {
    this.#call = call;
    this.#context = context;
    this.#version = version;
    this.#onClosed = onClosed;
    this.#frozen = context.replica.machine.freeze();
    this.#parts = this.#newParts();
    const caller = context.access.identify(call);
    const end = (refusal: Refusal): void => this.#endWith(statusOfRefusal(refusal));
    // It takes role `root`, which the call has been found to have.
    this.#right = context.openRights.hold(caller === invalidToken ? undefined : caller, { kind: "admin" }, end);
    context.openCalls.add(call, () => this.#close());
    call.onDrain(() => this.run());
  }

  /** Goes on until the client is congested, a slice a turn, so that others are served in between. */
  run(): void {
    if (this.#scheduled || !this.#slice()) return;
    this.#scheduled = true;
    this.#context.environment.defer(() => {
      this.#scheduled = false;
      this.run();
    });
  }

  #newParts(): Iterator<Uint8Array> {
    return snapshotFileParts(this.#frozen)[Symbol.iterator]();
  }

  /** True if there is more to do. */
  #slice(): boolean {
    let done = 0;
    while (done < sliceBytes) {
      // First whether it goes on at all: once it is over, there is no right left to ask about.
      if (this.#call.ended || !this.#context.openRights.isHeld(this.#right)) return false;
      if (!this.#isCounting && this.#call.congested) return false;
      if (this.#partAt === this.#part.length) {
        done += partCostBytes;
        if (!this.#nextPart()) return this.#passEnded();
      }
      done += this.#isCounting ? this.#count() : this.#fill();
    }
    return true;
  }

  #nextPart(): boolean {
    const next = this.#parts.next();
    if (next.done === true) return false;
    this.#part = next.value;
    this.#partAt = 0;
    return true;
  }

  /** True if there is more to do. */
  #passEnded(): boolean {
    if (this.#isCounting) {
      this.#isCounting = false;
      this.#parts = this.#newParts();
      this.#startTimer();
      return true;
    }
    this.#sendBlob();
    this.#message(this.#hash.digest());
    this.#endWith(okStatus);
    return false;
  }

  #endWith(status: Status): void {
    this.#context.openCalls.remove(this.#call);
    this.#close();
    this.#call.end(status);
  }

  #count(): number {
    this.#partAt = this.#part.length;
    this.#remainingBytes += this.#part.length;
    return this.#part.length;
  }

  /** Adds to the blob what has room in it, and sends it when it is full. Returns how many bytes it took. */
  #fill(): number {
    const start = this.#partAt;
    const end = Math.min(this.#part.length, start + blobBytesMax - this.#blobBytes);
    this.#blob.set(this.#part.subarray(start, end), this.#blobBytes);
    this.#blobBytes += end - start;
    this.#partAt = end;
    if (this.#blobBytes === blobBytesMax) this.#sendBlob();
    return end - start;
  }

  #sendBlob(): void {
    if (this.#blobBytes === 0) return;
    const blob = this.#blob.subarray(0, this.#blobBytes);
    this.#hash.update(blob);
    this.#remainingBytes -= blob.length;
    this.#blobBytes = 0;
    this.#message(blob);
  }

  #message(blob: Uint8Array): void {
    const response = { header: undefined, remainingBytes: this.#remainingBytes, blob, version: this.#version };
    this.#call.send(encodeSharedSnapshotResponse(response));
  }

  #startTimer(): void {
    const { snapshotBytesPerSecondMin, snapshotGraceMs } = this.#context.limits;
    const allowedMs = snapshotGraceMs + (this.#remainingBytes / snapshotBytesPerSecondMin) * 1_000;
    this.#stopTimer = this.#context.environment.every(allowedMs, () => this.#endWith(tooSlowStatus));
  }

  /** What is over is over once, whatever ended it. */
  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#context.openRights.release(this.#right);
    this.#stopTimer?.();
    this.#frozen.release();
    this.#onClosed();
  }
}
