/**
 * Something outside of the store that holders of a lock write to, such as a file server. It notes the highest token that it
 * was shown per name (I5); whether it uses that to turn old holders away is the only difference between one that is safe
 * and one that is not, so each write is noted with what the safe one would have said.
 */
import type { Recorder } from "./recorder.js";

export class OutsideResource {
  readonly #recorder: Recorder;
  readonly #highest = new Map<string, number>();

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** A write that arrives now. Returns whether a resource that checks tokens takes it. */
  write(client: string, name: string, token: number): boolean {
    const highest = this.#highest.get(name) ?? 0;
    const accepted = token >= highest;
    if (accepted) this.#highest.set(name, token);
    this.#recorder.resourceWrites.push({ client, name, token, at: this.#recorder.moment(), accepted });
    return accepted;
  }
}
