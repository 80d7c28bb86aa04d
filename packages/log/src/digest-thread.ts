/**
 * SHA-256 of long data on a thread of its own. A MiB takes 0.6 to 0.9 ms, and each byte of a long value goes through it three
 * times, in the log, in a snapshot and when that is read back: a third of the event loop's time with values of 1 MiB.
 *
 * The thread takes some 12 MB, and what of the shared memory it has not let go of, so it is started only once there is much to do, and ends when there has been nothing for a
 * while. Where none is to be had, and while it starts, digests are taken within the turn. Pieces lie in shared memory; a
 * piece in any other is copied.
 */

import { Worker } from "node:worker_threads";
import { type Digests, digestsWithinTurn, type RunningDigest, sha256Of } from "./digests.js";

/** Long data that goes by, in whatever time, before the thread is started for it. */
const START_AFTER_BYTES = 32 * 1024 * 1024;
/** A digest of so many bytes that come piece by piece starts it at once. */
const START_FOR_BYTES = 16 * 1024 * 1024;
const IDLE_MS = 10_000;
const NO_BYTES = new Uint8Array();

/** What the thread is told: the next piece of the digest of this number, and whether it is the last one. */
interface DigestPiece {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/** A text and not a module, since Node.js would read that in the pool, where a sync may not wait behind it (fault model F8). */
const THREAD_SCRIPT = `
const { createHash } = require("node:crypto");
const { parentPort } = require("node:worker_threads");
const running = new Map();
parentPort.on("message", ({ number, bytes, isLast }) => {
  const hash = running.get(number) ?? createHash("sha256");
  hash.update(bytes);
  if (isLast) running.delete(number);
  else running.set(number, hash);
  parentPort.postMessage({ number, digest: isLast ? new Uint8Array(hash.digest()) : undefined });
});
parentPort.on("messageerror", (error) => {
  throw error;
});
`;

/** What it answers to each piece, in their order: the digest if it was the last one. */
interface DigestAnswer {
  readonly number: number;
  readonly digest: Uint8Array | undefined;
}

/** Who waits for the answer to a piece. */
interface Waiting {
  readonly number: number;
  readonly answered: (digest: Uint8Array | undefined) => void;
  /** The thread is gone, and what it had taken in with it. */
  readonly lost: (cause: Error) => void;
}

/** Runs `task` after so many milliseconds, unless the returned function is called first. Must not keep the process alive. */
type After = (delayMs: number, task: () => void) => () => void;

/** Starts a thread as digests are taken on. Throws where the system starts no more. */
export function startDigestWorker(): Worker {
  return new Worker(THREAD_SCRIPT, { eval: true, name: "holdfast-log-digest", execArgv: [] });
}

/** One thread for all logs of a process. */
export class DigestThread implements Digests {
  readonly allocate = (bytes: number): Buffer => Buffer.from(new SharedArrayBuffer(bytes));
  readonly #startWorker: () => Worker;
  readonly #after: After;
  #worker: Worker | undefined;
  #isReady = false;
  #isRefused = false;
  #bytesWithout = 0;
  #lastNumber = 0;
  /** Digests of which a part lies with the thread. */
  readonly #running = new Set<number>();
  /** Answers come in the order of the pieces. */
  readonly #waiting: Waiting[] = [];
  #cancelEnd: () => void = () => {};

  constructor(after: After, startWorker = startDigestWorker) {
    this.#after = after;
    this.#startWorker = startWorker;
  }

  /** Whether there is a thread. */
  get isRunning(): boolean {
    return this.#worker !== undefined;
  }

  begin(bytesExpected: number): RunningDigest {
    if (bytesExpected >= START_FOR_BYTES) this.#start();
    if (this.#worker === undefined) return digestsWithinTurn.begin(bytesExpected);
    const number = this.#newNumber();
    return {
      update: async (bytes) => void (await this.#piece(number, bytes, false)),
      end: async () => (await this.#piece(number, NO_BYTES, true))!,
      drop: () => void (this.#running.has(number) && this.#piece(number, NO_BYTES, true).catch(() => {})),
    };
  }

  digestThen(bytes: Uint8Array, done: (digest: Uint8Array) => void): void {
    if (!this.#isReady) {
      this.#bytesWithout += bytes.length;
      if (this.#bytesWithout >= START_AFTER_BYTES) this.#start();
      done(sha256Of(bytes));
      return;
    }
    const number = this.#newNumber();
    const answered = (digest: Uint8Array | undefined) => done(digest!);
    this.#ask({ number, bytes, isLast: true }, { number, answered, lost: () => done(sha256Of(bytes)) });
  }

  #newNumber(): number {
    this.#lastNumber += 1;
    this.#running.add(this.#lastNumber);
    return this.#lastNumber;
  }

  #piece(number: number, bytes: Uint8Array, isLast: boolean): Promise<Uint8Array | undefined> {
    if (!this.#running.has(number)) return Promise.reject(new Error("the thread that took this digest has ended"));
    return new Promise((answered, lost) => this.#ask({ number, bytes, isLast }, { number, answered, lost }));
  }

  #ask(piece: DigestPiece, waiting: Waiting): void {
    if (piece.isLast) this.#running.delete(piece.number);
    const isShared = piece.bytes.buffer instanceof SharedArrayBuffer;
    this.#worker!.postMessage(isShared ? piece : { ...piece, bytes: new Uint8Array(piece.bytes) });
    // Somebody waits for the answer, so the process must not end before it has come.
    if (this.#waiting.length === 0) this.#worker!.ref();
    this.#waiting.push(waiting);
  }

  #start(): void {
    if (this.#worker !== undefined || this.#isRefused) return;
    this.#bytesWithout = 0;
    try {
      const worker = this.#startWorker();
      this.#worker = worker;
      worker.unref();
      worker.on("online", () => (this.#isReady = this.#worker === worker));
      worker.on("message", (answer: DigestAnswer) => this.#answered(worker, answer));
      worker.on("error", (error) => this.#failed(worker, error));
      worker.on("exit", () => this.#ended(worker, new Error("the thread that takes digests has ended")));
      this.#planEnd();
    } catch {
      // Without it all goes on, only slower.
      this.#isRefused = true;
    }
  }

  #answered(worker: Worker, { number, digest }: DigestAnswer): void {
    // What it said before it failed may come after that is known.
    if (this.#worker !== worker) return;
    const waiting = this.#waiting.shift();
    if (waiting?.number !== number) throw new Error(`digest ${number} where that of ${waiting?.number} is expected`);
    if (this.#waiting.length === 0) {
      worker.unref();
      this.#planEnd();
    }
    waiting.answered(digest);
  }

  /** It has ended by an error, at its start or later. Another one would hardly fare better. */
  #failed(worker: Worker, cause: Error): void {
    this.#isRefused = true;
    this.#ended(worker, cause);
  }

  /** Ends the thread, unless there is something to do until then. */
  #planEnd(): void {
    this.#cancelEnd();
    this.#cancelEnd = this.#after(IDLE_MS, () => {
      if (this.#running.size > 0 || this.#waiting.length > 0) this.#planEnd();
      else this.#end();
    });
  }

  /** From now on there is none, though its end takes a moment. */
  #end(): void {
    const worker = this.#worker!;
    this.#worker = undefined;
    this.#isReady = false;
    void worker.terminate();
  }

  #ended(worker: Worker, cause: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#isReady = false;
    this.#cancelEnd();
    this.#running.clear();
    for (const waiting of this.#waiting.splice(0)) waiting.lost(cause);
  }
}
