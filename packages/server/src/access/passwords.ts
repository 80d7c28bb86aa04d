/**
 * Hashes passwords and checks them, off the event loop, a few at once.
 *
 * Each takes a processor and much memory for a while: more at once, or without bound behind one another, and whoever
 * guesses passwords would stop the server. Plain text goes from the request to scrypt and nowhere else.
 */
import { timingSafeEqual } from "node:crypto";
import {
  formatPasswordHash,
  type PasswordHash,
  parsePasswordHash,
  type ScryptParameters,
  scryptMemoryBytes,
  scryptParameters,
  scryptWork,
} from "./password-hash.js";
import { type Secrets, systemSecrets } from "./secrets.js";

export interface PasswordLimits {
  /** Hashes computed at the same time, each on a thread of its own. */
  readonly passwordHashesAtOnce: number;
  /** Hashes that wait for those. */
  readonly passwordHashesWaiting: number;
  /** Memory of one hash. */
  readonly passwordHashBytes: number;
  /** Work of one hash (`scryptWork`), or that of the hashes made here where it is more. */
  readonly passwordHashWork: number;
}

/** So many passwords wait to be hashed that one more is refused. */
export class TooManyPasswordsError extends Error {
  constructor() {
    super("too many passwords are being checked");
    this.name = "TooManyPasswordsError";
  }
}

/** The answer is of no use any more, so the work was not done. */
export class UnwantedError extends Error {
  constructor() {
    super("this password need not be hashed any more");
    this.name = "UnwantedError";
  }
}

/** Whether the answer is still of use to anybody. */
export type IsWanted = () => boolean;

interface Job {
  readonly isWanted: IsWanted;
  /** Goes before the others, and takes the place of one of them where there is none left. */
  readonly isPreferred: boolean;
  start(): void;
  drop(error: Error): void;
}

const saltBytes = 16;
const keyBytes = 32;

export class Passwords {
  readonly #parameters: ScryptParameters;
  readonly #limits: PasswordLimits;
  readonly #secrets: Secrets;
  readonly #workMax: number;
  readonly #waiting: Job[] = [];
  /** Compared with where there is no hash, so that the answer takes as long as where there is one. */
  readonly #nobody: PasswordHash;
  #running = 0;

  /** Throws `RangeError` for a cost outside 4 to 31, or one that needs more memory than the limit. */
  constructor(cost: number, limits: PasswordLimits, secrets: Secrets = systemSecrets) {
    this.#parameters = scryptParameters(cost);
    this.#limits = limits;
    this.#secrets = secrets;
    this.#workMax = Math.max(limits.passwordHashWork, scryptWork(this.#parameters));
    this.#nobody = { ...this.#parameters, salt: this.#random(saltBytes), key: this.#random(keyBytes) };
    if (scryptMemoryBytes(this.#parameters) > limits.passwordHashBytes) {
      throw new RangeError(`auth.passwordCost ${cost} needs more memory for a hash than allowed`);
    }
  }

  /** Hashes that run or wait. */
  get underWay(): number {
    return this.#running + this.#waiting.length;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** The text to keep for `password`. Rejects with `TooManyPasswordsError` or `UnwantedError`. */
  async hash(password: string, isWanted: IsWanted): Promise<string> {
    const salt = this.#random(saltBytes);
    const asked = { isWanted, isPreferred: false };
    const key = await this.#derive(password, { ...this.#parameters, salt }, keyBytes, asked);
    return formatPasswordHash({ ...this.#parameters, salt, key });
  }

  /**
   * Whether `password` is the one that `hash` was made of. Takes the time of a comparison whatever `hash` is, so that
   * names cannot be told by it. `isPreferred` lets it go before those that are not. Rejects as `hash` does.
   */
  async matches(password: string, hash: string | undefined, isWanted: IsWanted, isPreferred = false): Promise<boolean> {
    const parsed = hash === undefined ? undefined : this.parse(hash);
    const expected = parsed ?? this.#nobody;
    const key = await this.#derive(password, expected, expected.key.length, { isWanted, isPreferred });
    return timingSafeEqual(key, expected.key) && parsed !== undefined;
  }

  /**
   * The hash that `text` stands for, if it is one that can be checked here: in our form, and within the limits of memory and
   * work. A hash nobody could wait for would hold up the logins of everybody else.
   */
  parse(text: string): PasswordHash | undefined {
    const hash = parsePasswordHash(text);
    if (hash === undefined || scryptMemoryBytes(hash) > this.#limits.passwordHashBytes) return undefined;
    return scryptWork(hash) <= this.#workMax ? hash : undefined;
  }

  #random(byteCount: number): Buffer {
    const bytes = Buffer.alloc(byteCount);
    this.#secrets.fillRandom(bytes);
    return bytes;
  }

  #derive(
    password: string,
    { logN, blockSize, rounds, salt }: ScryptParameters & { readonly salt: Buffer },
    length: number,
    asked: Pick<Job, "isWanted" | "isPreferred">,
  ): Promise<Buffer> {
    const maxmem = this.#limits.passwordHashBytes + 1;
    const options = { N: 2 ** logN, r: blockSize, p: rounds, maxmem };
    return new Promise((resolve, reject) => {
      this.#enqueue({
        ...asked,
        start: () => {
          this.#secrets.deriveKey(password, salt, length, options, (error, key) => {
            this.#running--;
            this.#startNext();
            if (error === null) resolve(key);
            else reject(error);
          });
        },
        drop: reject,
      });
    });
  }

  #enqueue(job: Job): void {
    if (this.#isFull) this.#dropUnwanted();
    if (this.#isFull && !(job.isPreferred && this.#dropLastCommon())) throw new TooManyPasswordsError();
    if (job.isPreferred) this.#waiting.splice(this.#preferredWaiting, 0, job);
    else this.#waiting.push(job);
    this.#startNext();
  }

  get #isFull(): boolean {
    return this.#waiting.length >= this.#limits.passwordHashesWaiting;
  }

  /** They wait in front of the others. */
  get #preferredWaiting(): number {
    const first = this.#waiting.findIndex(({ isPreferred }) => !isPreferred);
    return first < 0 ? this.#waiting.length : first;
  }

  #startNext(): void {
    while (this.#running < this.#limits.passwordHashesAtOnce) {
      const job = this.#waiting.shift();
      if (job === undefined) return;
      if (!job.isWanted()) {
        job.drop(new UnwantedError());
        continue;
      }
      this.#running++;
      job.start();
    }
  }

  /** Makes room of what nobody waits for any more. */
  #dropUnwanted(): void {
    for (const job of this.#waiting.splice(0)) {
      if (job.isWanted()) this.#waiting.push(job);
      else job.drop(new UnwantedError());
    }
  }

  /** Makes room of the one that came last of those that are not preferred. False if there is none. */
  #dropLastCommon(): boolean {
    if (this.#waiting.at(-1)?.isPreferred !== false) return false;
    this.#waiting.pop()?.drop(new TooManyPasswordsError());
    return true;
  }
}
