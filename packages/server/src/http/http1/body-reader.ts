/** Collects the body of a request within its limits. Memory follows the bytes that came, never a length that was declared. */
import type { IncomingMessage } from "node:http";
import type { BodyBudget } from "./body-budget.js";

/** How the reading of a body ended. */
export type BodyEnd = "whole" | "too-large" | "too-much";

export class BodyReader {
  readonly #budget: BodyBudget;
  readonly #bytesMax: number;
  readonly #forgottenBytesMax: number;
  /** Its length is what was reserved. */
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;
  #end: BodyEnd = "whole";
  #closed = false;
  #forgottenBytes = 0;
  /** There was no end of it: `done` was called before the body ended. */
  cut = false;
  #done: ((end: BodyEnd) => void) | undefined = undefined;

  constructor(budget: BodyBudget, bytesMax: number, forgottenBytesMax: number) {
    this.#budget = budget;
    this.#bytesMax = bytesMax;
    this.#forgottenBytesMax = forgottenBytesMax;
  }

  /**
   * Calls `done` once the body was received, whole or not: what is too much is received and forgotten, since to close a
   * connection with part of a request unread would make the client lose the answer. That, too, has an end (`cut`).
   */
  read(request: IncomingMessage, done: (end: BodyEnd) => void): void {
    this.#done = done;
    request.on("data", (chunk: Buffer) => this.#take(chunk));
    request.once("end", () => this.#finish());
  }

  /** What was received, until `close`. */
  get body(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Forgets what was received, and what a connection that is gone may still hand over. */
  close(): void {
    this.#closed = true;
    this.#release();
  }

  #release(): void {
    this.#budget.release(this.#buffer.length);
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
  }

  #take(chunk: Buffer): void {
    if (this.#closed) return;
    if (this.#end !== "whole") {
      this.#forget(chunk.length);
      return;
    }
    const needed = this.#length + chunk.length;
    if (needed > this.#bytesMax) this.#giveUp("too-large");
    else if (needed > this.#buffer.length && !this.#grow(needed, chunk)) this.#giveUp("too-much");
    else {
      // The first piece is kept as it came.
      if (this.#buffer !== chunk) chunk.copy(this.#buffer, this.#length);
      this.#length = needed;
    }
  }

  /** Makes room for so many bytes. Bodies may come in very small pieces, so that a list of them could be far larger. */
  #grow(needed: number, chunk: Buffer): boolean {
    const isFirst = this.#length === 0;
    const capacity = isFirst ? needed : Math.max(needed, Math.min(this.#bytesMax, this.#length * 2));
    if (!this.#budget.reserve(capacity - this.#buffer.length)) return false;
    const larger = isFirst ? chunk : Buffer.allocUnsafeSlow(capacity);
    if (!isFirst) this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
    return true;
  }

  #forget(byteCount: number): void {
    this.#forgottenBytes += byteCount;
    if (this.#forgottenBytes <= this.#forgottenBytesMax) return;
    this.cut = true;
    this.#finish();
  }

  #finish(): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(this.#end);
  }

  #giveUp(end: BodyEnd): void {
    this.#end = end;
    this.#release();
  }
}
