/**
 * Threads of our own on which passwords are hashed. Node.js would do it in the pool in which files are written and synced,
 * where logins would hold up the log (fault model F8).
 *
 * A thread is started when one is needed and none is free, and ends when it has had nothing to do for a while: it takes some
 * 12 MB, and most servers never hash a password. Whoever asks bounds how many are hashed at once (`passwords.ts`).
 */
import type { ScryptOptions } from "node:crypto";
import { Worker } from "node:worker_threads";

/** What a thread is asked. */
export interface HashRequest {
  readonly password: string;
  readonly salt: Uint8Array;
  readonly keyBytes: number;
  readonly options: ScryptOptions;
}

/** What it answers: the key, or why there is none. */
export type HashAnswer = { readonly key: Uint8Array } | { readonly failure: string };

/** Called once, in a later turn. */
export type KeyDone = (error: Error | null, key: Buffer) => void;

/** Runs `task` after so many milliseconds, unless the returned function is called first. */
export type After = (delayMs: number, task: () => void) => () => void;

const idleMs = 10_000;
const noKey = Buffer.alloc(0);

/**
 * What a thread runs: it takes a `HashRequest` and answers with a `HashAnswer`. A text and not a module, since Node.js would read
 * that in the pool, where a thread could then not be started while it is busy.
 */
const threadScript = `
const { scryptSync } = require("node:crypto");
const { parentPort } = require("node:worker_threads");
const answer = ({ password, salt, keyBytes, options }) => {
  try {
    return { key: scryptSync(password, salt, keyBytes, options) };
  } catch (error) {
    return { failure: error.message };
  }
};
parentPort.on("message", (request) => parentPort.postMessage(answer(request)));
`;

export class HashThreads {
  readonly #after: After;
  readonly #startWorker: () => Worker;
  readonly #all = new Set<HashThread>();
  /** Those with nothing to do, the one that was busy last at the end. */
  readonly #free: HashThread[] = [];
  #hasEnded = false;

  constructor(after: After = unreferencedTimer, startWorker = startHashWorker) {
    this.#after = after;
    this.#startWorker = startWorker;
  }

  /** How many there are. */
  get count(): number {
    return this.#all.size;
  }

  /** scrypt (RFC 7914). */
  derive(request: HashRequest, done: KeyDone): void {
    try {
      this.#deriveOn(this.#free.pop() ?? this.#start(), request, done);
    } catch (error) {
      // The system starts no more threads, or not now. Whoever asks counts on being told later.
      setImmediate(done, error as Error, noKey);
    }
  }

  /** Ends all threads for good; what they were busy with fails, and so does what is asked afterwards. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    await Promise.all([...this.#all].map((thread) => this.#end(thread)));
  }

  #deriveOn(thread: HashThread, request: HashRequest, done: KeyDone): void {
    thread.derive(request, (error, key) => {
      if (this.#all.has(thread)) this.#rest(thread);
      done(error, key);
    });
  }

  #start(): HashThread {
    if (this.#hasEnded) throw new Error("passwords are not hashed any more");
    const thread = new HashThread(this.#startWorker(), () => this.#forget(thread));
    this.#all.add(thread);
    return thread;
  }

  #rest(thread: HashThread): void {
    this.#free.push(thread);
    thread.stayAlive = this.#after(idleMs, () => void this.#end(thread));
  }

  #end(thread: HashThread): Promise<void> {
    this.#forget(thread);
    return thread.end();
  }

  #forget(thread: HashThread): void {
    this.#all.delete(thread);
    const place = this.#free.indexOf(thread);
    if (place >= 0) this.#free.splice(place, 1);
  }
}

/** Hashes one password at a time. */
class HashThread {
  /** Takes back the plan to end it. */
  stayAlive: () => void = () => {};
  readonly #worker: Worker;
  #done: KeyDone | undefined;

  /** `broken` is told before whoever waits for an answer. */
  constructor(worker: Worker, broken: () => void) {
    this.#worker = worker;
    this.#worker.on("message", (answer: HashAnswer) => this.#answered(answer));
    const failed = (error: Error): void => {
      broken();
      this.#finish(error, noKey);
    };
    this.#worker.on("error", failed);
    this.#worker.on("exit", () => failed(new Error("the thread that hashed a password has ended")));
  }

  derive(request: HashRequest, done: KeyDone): void {
    this.stayAlive();
    this.#done = done;
    // Somebody waits for the answer, so the process must not end before it has come.
    this.#worker.ref();
    this.#worker.postMessage(request);
  }

  async end(): Promise<void> {
    this.stayAlive();
    await this.#worker.terminate();
  }

  #answered(answer: HashAnswer): void {
    this.#worker.unref();
    if ("failure" in answer) this.#finish(new Error(answer.failure), noKey);
    else this.#finish(null, Buffer.from(answer.key.buffer, answer.key.byteOffset, answer.key.byteLength));
  }

  #finish(error: Error | null, key: Buffer): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(error, key);
  }
}

/** A thread as hashes are made on. Throws where the system starts no more. */
export function startHashWorker(): Worker {
  return new Worker(threadScript, { eval: true, name: "holdfast-hash", execArgv: [] });
}

function unreferencedTimer(delayMs: number, task: () => void): () => void {
  const timer = setTimeout(task, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}
