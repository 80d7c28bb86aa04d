/** A log whose appends end when and how the test says. */
import type { AppendResult, Log, LogUsage } from "@holdfast/log";

export class ScriptedLog implements Log {
  readonly identity = "00000000000000010000000000000002";
  readonly snapshot = undefined;
  readonly payloadBytesMax = 4 * 1024 * 1024;
  lastIndex = 0;
  epoch = 0;
  /** Payload sizes of the appends so far. */
  readonly appended: number[] = [];
  /** How much of the reserve each of them might use up. */
  readonly reserveShares: number[] = [];
  /** The payload of the newest. */
  payload: Uint8Array = new Uint8Array(0);
  #done: ((result: AppendResult) => void) | undefined;

  async replay(): Promise<void> {}

  async acquire(): Promise<number> {
    return ++this.epoch;
  }

  append(payload: Uint8Array, done: (result: AppendResult) => void, reserveShare = 0): void {
    if (this.#done !== undefined) throw new Error("one append at a time");
    this.appended.push(payload.length);
    this.reserveShares.push(reserveShare);
    this.payload = payload.slice();
    this.#done = done;
  }

  get isBusy(): boolean {
    return this.#done !== undefined;
  }

  /** Ends the append in flight. */
  finish(result: AppendResult = { fate: "stored", index: this.lastIndex + 1 }): void {
    const done = this.#done;
    if (done === undefined) throw new Error("nothing in flight");
    this.#done = undefined;
    if (result.fate === "stored") this.lastIndex = result.index;
    done(result);
  }

  async barrier(): Promise<void> {}

  async writeSnapshot(): Promise<void> {}

  async markForSnapshot(): Promise<undefined> {}

  usage(): LogUsage {
    return { firstIndex: 1, lastIndex: this.lastIndex, bytesOnDisk: 0, bytesReserved: 0, appendWay: "memory" };
  }

  async close(): Promise<void> {}
}
