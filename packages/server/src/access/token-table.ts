/**
 * What is known of tokens, found again by the token.
 *
 * Kept is the digest of a token, not the token: how long a search takes depends on the digest of what was sent, which whoever
 * guesses tokens cannot steer towards that of a real one; and no token lies in the memory of the server, where a dump of it
 * would show it.
 */
import { hash } from "node:crypto";

export class TokenTable<T> {
  readonly #byDigest = new Map<string, T>();

  get size(): number {
    return this.#byDigest.size;
  }

  get(token: string): T | undefined {
    return this.#byDigest.get(digestOf(token));
  }

  /** Puts the token behind all others, or leaves it where it is if it is there. */
  set(token: string, known: T): void {
    this.#byDigest.set(digestOf(token), known);
  }

  delete(token: string): void {
    this.#byDigest.delete(digestOf(token));
  }

  /** Deletes all of which `isVoid` says so, oldest first. */
  deleteWhere(isVoid: (known: T) => boolean): void {
    for (const [digest, known] of this.#byDigest) if (isVoid(known)) this.#byDigest.delete(digest);
  }

  /** Deletes the one that `rank` gives the lowest number, the oldest of several. */
  deleteLowest(rank: (known: T) => number): void {
    let lowest: string | undefined;
    let lowestRank = Number.POSITIVE_INFINITY;
    for (const [digest, known] of this.#byDigest) {
      const ranked = rank(known);
      if (ranked >= lowestRank) continue;
      lowest = digest;
      lowestRank = ranked;
    }
    if (lowest !== undefined) this.#byDigest.delete(lowest);
  }

  deleteOldest(): void {
    const oldest = this.#byDigest.keys().next();
    if (oldest.done !== true) this.#byDigest.delete(oldest.value);
  }

  clear(): void {
    this.#byDigest.clear();
  }
}

function digestOf(token: string): string {
  return hash("sha256", token, "base64");
}
