/** Makes the target's keys and leases what the source's are at one revision. */
import {
  type ByteString,
  type Connection,
  EtcdError,
  etcdErrors,
  type KeyValue,
  textFromByteString,
} from "@holdfast/client";
import { RefusedError } from "../remote/outcome-errors.js";
import { UsageError } from "../settings/usage-error.js";
import { KeyCursor, type KeyRange, mergeKeys, rangeOfPrefix } from "./key-cursor.js";
import { LeaseBook } from "./lease-book.js";
import { importLimits } from "./limits.js";
import { counted, grouped, type Progress } from "./progress.js";
import { isQueueKey, type QueueKey, queueSteps } from "./queue-keys.js";
import { isSame, TargetWriter } from "./target-writer.js";

/** What becomes of keys that are at the target and not at the source. */
export type ExtraKeys = "refuse" | "delete" | "keep";

export interface CopyOptions {
  /** Only keys that begin with this text; "" for all. */
  readonly prefix: string;
  readonly extraKeys: ExtraKeys;
}

export interface CopyResult {
  /** The source's revision that was copied. */
  readonly revision: number;
  readonly copied: number;
  readonly unchanged: number;
  readonly deleted: number;
  /** At the target only, and left there. */
  readonly kept: number;
  /** Their leases ended at the source during the import, and they with them. */
  readonly ended: number;
  readonly leasesGranted: number;
  readonly leasesPresent: number;
  /** Leases that ended at the target during the import. */
  readonly leasesLost: number;
  /** Changed at the target by somebody else during the import, and left so. */
  readonly changedMeanwhile: readonly string[];
}

/**
 * Copies. Throws `RefusedError` before anything is written if the target has keys of its own and nothing was said about
 * them, `UsageError` if both ends are one store, `EtcdError` and `ConnectError`.
 */
export async function copyStore(
  source: Connection,
  target: Connection,
  options: CopyOptions,
  progress: Progress,
): Promise<CopyResult> {
  for (let restarts = 0; ; restarts++) {
    const leases = new LeaseBook(source, target);
    try {
      return await new Copy(source, target, leases, options, progress).run();
    } catch (error) {
      const isOvertaken = error instanceof EtcdError && error.is(etcdErrors.compacted);
      if (!isOvertaken || restarts === importLimits.restartsMax) throw error;
      progress.line("the source compacted the revision that was being copied; beginning anew");
    } finally {
      leases.stop();
    }
  }
}

class Copy {
  readonly #source: Connection;
  readonly #target: Connection;
  readonly #leases: LeaseBook;
  readonly #range: KeyRange;
  readonly #options: CopyOptions;
  readonly #progress: Progress;
  readonly #writer: TargetWriter;
  readonly #queueKeys: QueueKey[] = [];
  #seen = 0;
  #unchanged = 0;
  #kept = 0;
  #ended = 0;

  constructor(source: Connection, target: Connection, leases: LeaseBook, options: CopyOptions, progress: Progress) {
    this.#source = source;
    this.#target = target;
    this.#leases = leases;
    this.#range = rangeOfPrefix(options.prefix);
    this.#options = options;
    this.#progress = progress;
    this.#writer = new TargetWriter(target);
  }

  async run(): Promise<CopyResult> {
    const revision = await this.#checkTarget();
    // After the revision is fixed: a lease that is not there by now has ended, and its keys with it.
    if (this.#options.prefix === "") await this.#leases.copyAll();
    this.#leases.start();
    await this.#copyKeys(revision);
    const { deleted } = this.#writer;
    await this.#copyQueues();
    await this.#leases.renew();
    const { put, changedMeanwhile } = this.#writer;
    return {
      revision,
      copied: put,
      unchanged: this.#unchanged,
      deleted,
      kept: this.#kept,
      ended: this.#ended,
      leasesGranted: this.#leases.granted,
      leasesPresent: this.#leases.present,
      leasesLost: this.#leases.lost,
      changedMeanwhile: changedMeanwhile.map(textFromByteString),
    };
  }

  /** Looks at the keys of both ends before anything is written. Returns the source's revision, which is copied. */
  async #checkTarget(): Promise<number> {
    const source = new KeyCursor(this.#source, { range: this.#range, keysOnly: true, pinned: true });
    const target = new KeyCursor(this.#target, { range: this.#range, keysOnly: true, pinned: false });
    await Promise.all([source.load(), target.load()]);
    if (source.clusterId === target.clusterId) throw new UsageError("source and target are the same store");
    if (this.#options.extraKeys !== "refuse" || target.count === 0) return source.revision;
    const extra: ByteString[] = [];
    let extraCount = 0;
    await mergeKeys(source, target, (here, there) => {
      this.#progress.show(() => "comparing keys");
      if (here !== undefined || there === undefined) return undefined;
      extraCount += 1;
      if (extra.length < importLimits.keysNamed) extra.push(there.key);
      return undefined;
    });
    if (extraCount > 0) throw extraKeysError(extra, extraCount);
    return source.revision;
  }

  async #copyKeys(revision: number): Promise<void> {
    const source = new KeyCursor(this.#source, { range: this.#range, revision, pinned: true });
    const target = new KeyCursor(this.#target, { range: this.#range, pinned: false });
    await mergeKeys(source, target, (here, there) => {
      if (here === undefined) return this.#extra(there as KeyValue);
      this.#seen += 1;
      this.#progress.show(() => `${grouped(this.#seen)} of ${counted(source.count, "key")}, ${this.#leasesSoFar()}`);
      return this.#pair(here, there);
    });
    await this.#writer.flush();
  }

  #extra({ key, modRevision }: KeyValue): Promise<void> | undefined {
    if (this.#options.extraKeys === "delete") {
      return this.#writer.add({ key, seenRevision: modRevision, wanted: undefined });
    }
    this.#kept += 1;
    return undefined;
  }

  #pair(source: KeyValue, target: KeyValue | undefined): Promise<void> | undefined {
    const hasLease = source.lease === 0n || this.#leases.state(source.lease);
    if (hasLease === undefined)
      return this.#leases.ensure(source.lease).then((exists) => this.#copy(source, target, exists));
    return this.#copy(source, target, hasLease);
  }

  #copy(source: KeyValue, target: KeyValue | undefined, hasLease: boolean): Promise<void> | undefined {
    if (!hasLease) this.#ended += 1;
    else if (isQueueKey(source)) this.#queueKeys.push({ source, target });
    else if (isSame(source, target)) this.#unchanged += 1;
    else return this.#writer.add({ key: source.key, seenRevision: target?.modRevision ?? 0, wanted: source });
    return undefined;
  }

  async #copyQueues(): Promise<void> {
    const before = this.#writer.put;
    for (const step of queueSteps(this.#queueKeys, ({ source, target }) => isSame(source, target))) {
      for (const write of step) await this.#writer.add(write);
      await this.#writer.flush();
      this.#progress.show(() => `${grouped(this.#writer.put)} keys copied, now those that queue for locks`);
    }
    this.#unchanged += this.#queueKeys.length - (this.#writer.put - before);
  }

  #leasesSoFar(): string {
    return counted(this.#leases.present, "lease");
  }
}

function extraKeysError(some: readonly ByteString[], count: number): RefusedError {
  const names = some.map((key) => JSON.stringify(textFromByteString(key))).join(", ");
  const more = count > some.length ? ", …" : "";
  return new RefusedError(
    `the target has ${counted(count, "key")} that the source does not have (${names}${more}); nothing was changed. ` +
      "--delete-extra deletes them, --keep-extra leaves them, --prefix copies a part only",
  );
}
