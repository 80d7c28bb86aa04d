/** Where salts, tokens and keys made of passwords come from: the one place through which chance enters authentication. */
import { randomFillSync, type ScryptOptions, scrypt } from "node:crypto";

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

/** Those of a real process. */
export const systemSecrets: Secrets = { fillRandom: (target) => void randomFillSync(target), deriveKey: scrypt };
