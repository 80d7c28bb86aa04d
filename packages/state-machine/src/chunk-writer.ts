/**
 * Fills the chunks of a snapshot record by record. Which records come in which order is decided by `frozen-state.ts`.
 */
import {
  type AlarmMember,
  expectedBytesOfKeyValue,
  Writer,
  writeAlarmMember,
  writeKeyValue,
  writeRole,
  writeUser,
} from "@holdfast/protocol";
import { roleMessage, userMessage } from "./auth/auth-snapshot.js";
import type { RoleRecord, UserRecord } from "./auth/auth-types.js";
import { numberTag, recordTags } from "./snapshot-format.js";
import type { KeyVersion, LeaseRecord } from "./types.js";

/** Room for most users and roles; a larger one costs moving it. */
const recordExpectedBytes = 128;

/** Room for the largest record that holds numbers only. */
const numbersExpectedBytes = 32;

/** The chunk being filled. */
export class ChunkWriter {
  readonly #writer: Writer;
  readonly #chunkBytes: number;
  readonly #chunkVisits: number;
  #visits = 0;

  constructor(chunkBytes: number, chunkVisits: number) {
    // What long values need is needed again, and gone when all is written.
    this.#writer = new Writer(2 * chunkBytes, Number.POSITIVE_INFINITY);
    this.#chunkBytes = chunkBytes;
    this.#chunkVisits = chunkVisits;
  }

  /** Whether the chunk is long enough, or took long enough. */
  get isFull(): boolean {
    return this.#writer.length >= this.#chunkBytes || this.#visits >= this.#chunkVisits;
  }

  /** Something was looked at that takes as long as so many events. */
  visited(events: number): void {
    this.#visits += events;
  }

  version(tag: number, version: KeyVersion): void {
    this.#visits += 1;
    const expectedBytes = expectedBytesOfKeyValue(version);
    const start = this.#writer.begin(tag, expectedBytes);
    writeKeyValue(this.#writer, version);
    this.#writer.end(start, expectedBytes);
  }

  role(role: RoleRecord): void {
    this.#visits += 1;
    const start = this.#writer.begin(recordTags.role, recordExpectedBytes);
    writeRole(this.#writer, roleMessage(role));
    this.#writer.end(start, recordExpectedBytes);
  }

  user(user: UserRecord): void {
    this.#visits += 1;
    const start = this.#writer.begin(recordTags.user, recordExpectedBytes);
    writeUser(this.#writer, userMessage(user));
    this.#writer.end(start, recordExpectedBytes);
  }

  alarm(alarm: AlarmMember): void {
    this.#visits += 1;
    const start = this.#writer.begin(recordTags.alarm, numbersExpectedBytes);
    writeAlarmMember(this.#writer, alarm);
    this.#writer.end(start, numbersExpectedBytes);
  }

  lease(lease: LeaseRecord): void {
    this.#visits += 1;
    const start = this.#writer.begin(recordTags.lease, numbersExpectedBytes);
    this.#writer.int64BigIntField(numberTag(1), lease.leaseId);
    this.#writer.int64NumberField(numberTag(2), lease.ttlSeconds);
    this.#writer.int64NumberField(numberTag(3), lease.grantNumber);
    this.#writer.end(start, numbersExpectedBytes);
  }

  /** A record of numbers; the first is field 1. */
  numbers(tag: number, numbers: readonly number[]): void {
    const start = this.#writer.begin(tag, numbersExpectedBytes);
    for (const [index, number] of numbers.entries()) this.#writer.int64NumberField(numberTag(index + 1), number);
    this.#writer.end(start, numbersExpectedBytes);
  }

  /** The chunk so far, valid until something is added to the next one. */
  take(): Uint8Array {
    if (this.#writer.length === 0) this.#writer.boolField(recordTags.pause, true);
    const chunk = this.#writer.view();
    this.#writer.reset();
    this.#visits = 0;
    return chunk;
  }
}
