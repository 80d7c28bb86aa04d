/**
 * Tokens that mean nothing by themselves: the server remembers whom it gave them to (AUTH-9). They live in memory only, so a
 * restart voids them.
 *
 * A token is bound to the very hash of the password it was given for. Deleting the user or changing the password makes it
 * void by itself, wherever that change came from; nobody has to be told.
 */
import type { AuthView, Caller } from "@holdfast/state-machine";
import { type Secrets, systemSecrets } from "./secrets.js";
import { TokenTable } from "./token-table.js";
import type { Tokens } from "./tokens.js";

export interface SimpleTokenOptions {
  readonly ttlMs: number;
  /** Tokens remembered; beyond it the one longest unused is forgotten, and its client logs in again. */
  readonly tokensMax: number;
  readonly nowMs: () => number;
  /** The number behind the dot: how far the log is applied. It only has to be a number. */
  readonly logIndex: () => number;
  /** Default: those of the process. */
  readonly secrets?: Secrets;
}

interface Issued {
  readonly userName: string;
  readonly passwordHash: string;
  /** Handed out again and again, until the auth revision moves on. */
  caller: Caller;
  usableUntilMs: number;
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const letterCount = 16;
/** How many tokens there are before any is looked through for those that have expired. */
const firstSweepAt = 1_000;

export class SimpleTokens implements Tokens {
  readonly #auth: AuthView;
  readonly #options: SimpleTokenOptions;
  readonly #issued = new TokenTable<Issued>();
  #sweepAt = firstSweepAt;

  constructor(auth: AuthView, options: SimpleTokenOptions) {
    this.#auth = auth;
    this.#options = options;
    this.#sweepAt = Math.min(firstSweepAt, options.tokensMax);
  }

  /** Tokens remembered, expired ones that were not noticed yet included. */
  get size(): number {
    return this.#issued.size;
  }

  issue(userName: string): string {
    const { ttlMs, nowMs, logIndex } = this.#options;
    if (this.#issued.size >= this.#sweepAt) this.#sweep();
    const token = `${randomLetters(this.#options.secrets ?? systemSecrets)}.${logIndex()}`;
    this.#issued.set(token, {
      userName,
      passwordHash: this.#auth.user(userName)?.passwordHash ?? "",
      caller: { userName, authRevision: this.#auth.revision },
      usableUntilMs: nowMs() + ttlMs,
    });
    return token;
  }

  caller(token: string): Caller | undefined {
    const issued = this.#issued.get(token);
    if (issued === undefined) return undefined;
    const nowMs = this.#options.nowMs();
    if (nowMs > issued.usableUntilMs || !this.#isBound(issued)) {
      this.#issued.delete(token);
      return undefined;
    }
    issued.usableUntilMs = nowMs + this.#options.ttlMs;
    const { userName } = issued;
    const authRevision = this.#auth.revision;
    if (issued.caller.authRevision !== authRevision) issued.caller = { userName, authRevision };
    return issued.caller;
  }

  voidAll(): void {
    this.#issued.clear();
  }

  #isBound({ userName, passwordHash }: Issued): boolean {
    return this.#auth.user(userName)?.passwordHash === passwordHash;
  }

  /** Forgets what is void. Runs each time the number has doubled, so that it costs little per token and needs no timer. */
  #sweep(): void {
    const nowMs = this.#options.nowMs();
    const { tokensMax } = this.#options;
    this.#issued.deleteWhere((issued) => nowMs > issued.usableUntilMs || !this.#isBound(issued));
    if (this.#issued.size >= tokensMax) this.#issued.deleteLowest(({ usableUntilMs }) => usableUntilMs);
    this.#sweepAt = Math.min(Math.max(firstSweepAt, this.#issued.size * 2), tokensMax);
  }
}

/** 16 letters are 91 random bits. */
function randomLetters(secrets: Secrets): string {
  const bytes = Buffer.alloc(2 * letterCount);
  // The largest multiple of the number of letters: bytes from there on would favour some of them.
  const fair = 256 - (256 % letters.length);
  let text = "";
  while (text.length < letterCount) {
    secrets.fillRandom(bytes);
    for (const byte of bytes) {
      if (byte < fair && text.length < letterCount) text += letters.charAt(byte % letters.length);
    }
  }
  return text;
}
