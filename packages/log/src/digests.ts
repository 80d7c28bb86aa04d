/**
 * Where SHA-256 of long data is taken: within the turn of the event loop, or on a thread beside it (`digest-thread.ts`). That of
 * short data is taken at once (`sha256Of`), which costs less than the way to any thread.
 */

import { createHash, hash } from "node:crypto";
import type { Allocate } from "./bytes.js";

/** A digest of data that comes piece by piece. */
export interface RunningDigest {
  /**
   * Takes in the next piece, which must not change until this has resolved. One at a time.
   * Rejects if what was taken in is lost; there is no digest then.
   */
  update(bytes: Uint8Array): Promise<void>;
  /** The digest of all pieces, 32 bytes. Nothing follows it. Rejects as `update` does. */
  end(): Promise<Uint8Array>;
  /** Lets go of a digest that will not be ended; nothing if it has been. */
  drop(): void;
}

/** A place to take digests of long data. */
export interface Digests {
  /** What lies in it is digested without a copy. */
  readonly allocate: Allocate;
  /** Begins a digest of about so many bytes, which may be lost with the place where it is taken, unlike one of `digestThen`. */
  begin(bytesExpected: number): RunningDigest;
  /** Calls `done` with the digest of `bytes`, 32 bytes, within this call or in a later turn. They must not change until then. */
  digestThen(bytes: Uint8Array, done: (digest: Uint8Array) => void): void;
}

/** Takes digests within the turn. */
export const digestsWithinTurn: Digests = {
  allocate: Buffer.allocUnsafeSlow,
  begin: digestWithinTurn,
  digestThen(bytes, done) {
    done(sha256Of(bytes));
  },
};

/** The SHA-256 of `bytes`. */
export function sha256Of(bytes: Uint8Array): Buffer {
  // In one call: something small is hashed in two thirds of the time that it takes with a hash object, and leaves none behind.
  return hash("sha256", bytes, "buffer");
}

function digestWithinTurn(): RunningDigest {
  const hash = createHash("sha256");
  return {
    async update(bytes) {
      hash.update(bytes);
    },
    async end() {
      return hash.digest();
    },
    drop() {},
  };
}
