/** Where salts, tokens and keys made of passwords come from: the one place through which chance enters authentication. */
import { randomFillSync, type ScryptOptions, scrypt } from "node:crypto";
import type { HashThreads } from "./hash-threads.js";

export interface Secrets {
  /** Fills `target` with bytes that nobody can guess. */
  fillRandom(target: Uint8Array): void;
  /** scrypt (RFC 7914), off the event loop: `done` is called once, in a later turn. */
  deriveKey(
    password: string,
    salt: Uint8Array,
    keyBytes: number,
    options: ScryptOptions,
    done: (error: Error | null, key: Buffer) => void,
  ): void;
}

/** Those of a real process, hashing where Node.js does: beside no log, or in a test. */
export const systemSecrets: Secrets = { fillRandom: (target) => void randomFillSync(target), deriveKey: scrypt };

/** Those of a server. */
export function secretsOn(threads: HashThreads): Secrets {
  const { fillRandom } = systemSecrets;
  return {
    fillRandom,
    deriveKey: (password, salt, keyBytes, options, done) => threads.derive({ password, salt, keyBytes, options }, done),
  };
}
