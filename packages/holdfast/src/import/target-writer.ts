/**
 * Writes keys at the target: many in one transaction, each on condition that its key is as it was when it was compared. A key
 * that somebody else changed in between is left as it is and noted.
 */
import {
  type ByteString,
  CompareResult,
  CompareTarget,
  type Connection,
  createCompare,
  createDeleteRangeRequest,
  createPutRequest,
  createRequestOp,
  EtcdError,
  etcdErrors,
  type KeyValue,
  kvService,
  type RequestOp,
  textFromByteString,
} from "@holdfast/client";
import { RefusedError } from "../remote/outcome-errors.js";
import { importLimits } from "./limits.js";

/** What a key is to become. */
export interface Write {
  readonly key: ByteString;
  /** The target's revision of the key that this goes by; 0 if there was none. */
  readonly seenRevision: number;
  /** The key as it is to be; undefined deletes it. */
  readonly wanted: KeyValue | undefined;
}

/** What a transaction holds besides keys and values, at most, for each write. */
const writeOverheadBytes = 64;

export class TargetWriter {
  readonly #connection: Connection;
  #batch: Write[] = [];
  #batchBytes = 0;
  readonly #underWay = new Set<Promise<void>>();
  #failure: unknown;
  put = 0;
  deleted = 0;
  /** Keys that somebody else changed in the meantime. */
  readonly changedMeanwhile: ByteString[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Adds a write, whose order among the others is not kept. Throws what an earlier one met: `EtcdError`, `RefusedError`. */
  add(write: Write): Promise<void> | undefined {
    const bytes = bytesOf(write);
    const isFull =
      this.#batch.length === importLimits.batchWritesMax || this.#batchBytes + bytes > importLimits.batchBytesMax;
    const waited = isFull && this.#batch.length > 0 ? this.#launch() : undefined;
    this.#batch.push(write);
    this.#batchBytes += bytes;
    return waited;
  }

  /** Resolves once all that was added is done. Throws as `add` does. */
  async flush(): Promise<void> {
    if (this.#batch.length > 0) await this.#launch();
    await Promise.all(this.#underWay);
    this.#throwFailure();
  }

  async #launch(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    while (this.#underWay.size >= importLimits.batchesAtOnce) await Promise.race(this.#underWay);
    this.#throwFailure();
    const done: Promise<void> = this.#send(batch)
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #send(batch: readonly Write[]): Promise<void> {
    if (await this.#tryAll(batch)) {
      for (const { wanted } of batch) {
        if (wanted === undefined) this.deleted += 1;
        else this.put += 1;
      }
    } else if (batch.length > 1) for (const write of batch) await this.#send([write]);
    else await this.#settle(batch[0] as Write);
  }

  /** One transaction; false if nothing of it was done. */
  async #tryAll(batch: readonly Write[]): Promise<boolean> {
    try {
      const { succeeded } = await this.#connection.call(kvService.methods.txn, {
        compare: batch.map(({ key, seenRevision }) =>
          createCompare({
            key,
            target: CompareTarget.MOD,
            result: CompareResult.EQUAL,
            modRevision: seenRevision,
          }),
        ),
        success: batch.map(operationOf),
      });
      return succeeded;
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      if (error.is(etcdErrors.leaseNotFound)) return false;
      const canBeSmaller =
        batch.length > 1 && (error.is(etcdErrors.requestTooLarge) || error.is(etcdErrors.tooManyOps));
      if (canBeSmaller) return false;
      if (error.is(etcdErrors.requestTooLarge)) throw tooLarge(batch[0] as Write);
      throw error;
    }
  }

  /** A write whose condition did not hold: somebody may have done the same, or something else. */
  async #settle({ key, wanted }: Write): Promise<void> {
    const { kvs } = await this.#connection.call(kvService.methods.range, { key });
    if (!isSame(wanted, kvs[0])) this.changedMeanwhile.push(key);
  }
}

/** Whether two states of a key have the same value and lease. */
export function isSame(one: KeyValue | undefined, other: KeyValue | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.lease === other.lease && Buffer.compare(one.value, other.value) === 0;
}

function operationOf({ key, wanted }: Write): RequestOp {
  if (wanted === undefined) return createRequestOp({ requestDeleteRange: createDeleteRangeRequest({ key }) });
  const { value, lease } = wanted;
  return createRequestOp({ requestPut: createPutRequest({ key, value, lease }) });
}

function bytesOf({ key, wanted }: Write): number {
  return 2 * key.length + (wanted?.value.length ?? 0) + writeOverheadBytes;
}

function tooLarge({ key, wanted }: Write): RefusedError {
  const name = JSON.stringify(textFromByteString(key));
  return new RefusedError(
    `key ${name} has a value of ${wanted?.value.length} bytes, more than the target takes in a request; ` +
      "start the target with a larger --max-request-bytes, then run the import again",
  );
}
