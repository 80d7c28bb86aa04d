/**
 * One key's lives and deaths, for whoever is about to change the key: looked up once, used for all that follows. Made when it is
 * asked for; a key has no object of its own.
 */
import type { ByteString, PackedKeyValue } from "@holdfast/protocol";
import type { KeyHistories } from "./key-histories.js";

export class KeyHistory {
  /** Under which the key's versions are kept. */
  readonly number: number;
  readonly key: ByteString;
  readonly #histories: KeyHistories;

  constructor(number: number, key: ByteString, histories: KeyHistories) {
    this.number = number;
    this.key = key;
    this.#histories = histories;
  }

  /** The newest version, which may be a deletion. */
  get latest(): PackedKeyValue {
    return this.#histories.latest(this.number, this.key);
  }

  get isLive(): boolean {
    return this.#histories.isLive(this.number);
  }

  /** The live version at a readable revision. */
  liveAt(revision: number): PackedKeyValue | undefined {
    return this.#histories.liveAt(this.number, revision, this.key);
  }

  /** Every kept version, oldest first. */
  versions(): readonly PackedKeyValue[] {
    return this.#histories.versions(this.number);
  }
}
