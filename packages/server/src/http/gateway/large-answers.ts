/**
 * Makes large JSON answers in slices, one answer after another, so that others are served in between (fault-model F14).
 * What waits to be made into JSON is bounded as what waits for its client is (F37).
 */

/** Works on an answer for a while. Returns whether it is made, or no longer wanted. */
export type AnswerStep = () => boolean;

interface Waiting {
  readonly step: AnswerStep;
  readonly byteCount: number;
}

export class LargeAnswers {
  readonly #bytesMax: number;
  readonly #defer: (task: () => void) => void;
  readonly #queue: Waiting[] = [];
  #bytes = 0;

  /** `defer` runs a task in a later turn of the event loop. */
  constructor(bytesMax: number, defer: (task: () => void) => void) {
    this.#bytesMax = bytesMax;
    this.#defer = defer;
  }

  /** Calls `step` once a turn until it returns true, when the answers before are made. False if there is no room for `byteCount`. */
  add(byteCount: number, step: AnswerStep): boolean {
    if (this.#bytes > 0 && this.#bytes + byteCount > this.#bytesMax) return false;
    this.#bytes += byteCount;
    this.#queue.push({ step, byteCount });
    if (this.#queue.length === 1) this.#later();
    return true;
  }

  #later(): void {
    this.#defer(() => this.#run());
  }

  #run(): void {
    const first = this.#queue[0];
    if (first?.step() === true) {
      this.#queue.shift();
      this.#bytes -= first.byteCount;
    }
    if (this.#queue.length > 0) this.#later();
  }
}
