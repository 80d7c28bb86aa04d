/**
 * The running check over all entries of one log: contiguous indexes, each frame holding the digest
 * of the one before, epochs that start with an own entry and never decrease. It also remembers where
 * each epoch began and where the chain ends, which is what the next frame needs.
 */

import { DIGEST_BYTES, digestOf, FRAME_KIND, type Frame, firstDigest, readFrame } from "./entry-frame.js";

interface EpochStart {
  readonly index: number;
  readonly epoch: number;
}

export class Chain {
  #lastIndex = 0;
  #epoch = 0;
  /** False until the digest before the next entry is known: once the log is known to be empty, or an entry was seen. */
  #linked = false;
  /** False until an own entry or a snapshot has told the epoch. */
  #epochKnown = false;
  readonly #starts: EpochStart[] = [];
  /** Entries of an overtaken owner that still found a place. They count as places and have no effect. */
  readonly #overtaken = new Set<number>();
  readonly #digest = Buffer.alloc(DIGEST_BYTES);
  readonly #digestBeforeFirst = Buffer.alloc(DIGEST_BYTES);
  #firstIndex = 1;
  #checked: Frame | undefined;

  /** The newest entry seen, 0 if none. */
  get lastIndex(): number {
    return this.#lastIndex;
  }

  /** The newest epoch seen, 0 if none. */
  get epoch(): number {
    return this.#epoch;
  }

  /** False if the log's entries have all been discarded or lost and no snapshot supplied the link. */
  get linked(): boolean {
    return this.#linked;
  }

  /** The digest that the next frame must carry. Changes with each entry: copy it to keep it. */
  get digest(): Uint8Array {
    return this.#digest;
  }

  get firstIndex(): number {
    return this.#firstIndex;
  }

  /** What the first entry seen claims about the one before it. */
  get digestBeforeFirst(): Uint8Array {
    return this.#digestBeforeFirst;
  }

  /** The frame of the last entry that `check` found right: a view of its bytes. */
  get checked(): Frame | undefined {
    return this.#checked;
  }

  /** Starts at index 1, in a log that has never held an entry. */
  beginEmpty(identity: string): void {
    this.#digest.set(firstDigest(identity));
    this.#digestBeforeFirst.set(this.#digest);
    this.#linked = true;
    this.#epochKnown = true;
  }

  /** Takes the next entry and checks it. @returns why it cannot be right, if so; the chain must then not be used further. */
  check(identity: string, index: number, bytes: Uint8Array): string | undefined {
    const frame = readFrame(bytes);
    if (typeof frame === "string") return frame;
    if (frame.index !== index) return `entry says it is number ${frame.index}, expected ${index}`;
    if (!this.#linked) this.#begin(identity, index, frame);
    if (index !== this.#lastIndex + 1) return `entry ${index} follows entry ${this.#lastIndex}`;
    if (this.#digest.compare(frame.previous) !== 0) return "entry does not continue the one before it";
    const wrongEpoch = this.#checkEpoch(frame);
    if (wrongEpoch !== undefined) return wrongEpoch;
    if (frame.kind !== FRAME_KIND.own && frame.epoch < this.#epoch) this.#overtaken.add(index);
    this.advance(index, frame.kind === FRAME_KIND.own ? frame.epoch : 0, digestOf(bytes));
    this.#checked = frame;
    return undefined;
  }

  /** Notes an entry known to be right. `startedEpoch` is 0 unless it is an own entry. */
  advance(index: number, startedEpoch: number, digest: Uint8Array): void {
    this.#lastIndex = index;
    this.#linked = true;
    this.#digest.set(digest);
    if (startedEpoch === 0) return;
    this.#epoch = startedEpoch;
    this.#epochKnown = true;
    this.#starts.push({ index, epoch: startedEpoch });
  }

  /** Takes over what the newest snapshot knows about the entry at its index; nobody asks about older ones. */
  anchor(index: number, epoch: number, digest: Uint8Array): void {
    this.#epoch = Math.max(this.#epoch, epoch);
    this.#epochKnown = true;
    this.#starts.unshift({ index: 0, epoch });
    if (this.#linked) return;
    this.#firstIndex = index + 1;
    this.advance(index, 0, digest);
  }

  /** The epoch in force once the entry at `index` was stored. */
  epochAt(index: number): number {
    for (let i = this.#starts.length - 1; i >= 0; i--) {
      const start = this.#starts[i]!;
      if (start.index <= index) return start.epoch;
    }
    return this.#epoch;
  }

  /** True if the entry came from an owner that had been overtaken: every reader ignores it. */
  isOvertaken(index: number): boolean {
    return this.#overtaken.size > 0 && this.#overtaken.has(index);
  }

  #begin(identity: string, index: number, frame: Frame): void {
    this.#firstIndex = index;
    this.#lastIndex = index - 1;
    this.#digest.set(index === 1 ? firstDigest(identity) : frame.previous);
    this.#digestBeforeFirst.set(this.#digest);
    this.#epochKnown = index === 1;
  }

  #checkEpoch(frame: Frame): string | undefined {
    if (frame.kind === FRAME_KIND.own) {
      return frame.epoch > this.#epoch ? undefined : `epoch ${frame.epoch} starts after epoch ${this.#epoch}`;
    }
    if (frame.epoch <= this.#epoch) return undefined;
    if (this.#epochKnown) return `entry of epoch ${frame.epoch}, which never started`;
    this.#epoch = frame.epoch;
    return undefined;
  }
}
