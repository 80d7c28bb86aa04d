/** Counts what Node.js runs in its pool of threads, by the requests that it makes for that. */
import { createHook } from "node:async_hooks";

/** Requests for files: what a server may put there. */
const fileCalls = new Set(["FSREQCALLBACK", "FSREQPROMISE", "FILEHANDLECLOSEREQ"]);
/** What Node.js runs there besides, where it is not asked to do it at once: name lookups, compression, cryptography. */
const otherCalls =
  /^(GETADDRINFOREQWRAP|GETNAMEINFOREQWRAP|ZLIB|(CHECKPRIME|PBKDF2|HKDF|KEYPAIRGEN|KEYGEN|KEYEXPORT|CIPHER|DERIVEBITS|HASH|RANDOMBYTES|RANDOMPRIME|SCRYPT|SIGN|VERIFY)REQUEST)$/;

export class PoolCalls {
  /** How many calls for files there were. */
  files = 0;
  /** The most that were under way at once. */
  filesAtOnceMax = 0;
  /** The other kinds of which a call has ended. */
  readonly others = new Set<string>();
  readonly #filesUnderWay = new Set<number>();
  /** Those done at once are never heard of again. */
  readonly #othersBegun = new Map<number, string>();
  readonly #hook = createHook({
    init: (id, type) => this.#began(id, type),
    before: (id) => this.#ended(id),
  }).enable();

  stop(): void {
    this.#hook.disable();
  }

  #began(id: number, type: string): void {
    if (otherCalls.test(type)) this.#othersBegun.set(id, type);
    if (!fileCalls.has(type)) return;
    this.#filesUnderWay.add(id);
    this.files += 1;
    this.filesAtOnceMax = Math.max(this.filesAtOnceMax, this.#filesUnderWay.size);
  }

  #ended(id: number): void {
    this.#filesUnderWay.delete(id);
    const other = this.#othersBegun.get(id);
    if (other !== undefined) this.others.add(other);
  }
}
