/**
 * The operations of the mix: of twenty, sixteen read a key (linearizable), three write one, and one takes and gives back
 * a lock that nobody else wants. Keys are drawn evenly; the draw is the same for every server.
 */

import {
  byteStringFromText,
  createLockRequest,
  createPutRequest,
  createUnlockRequest,
  kvService,
  lockService,
} from "@holdfast/protocol";
import type { CallListener, DriverConnection } from "../driver/driver-connection.js";
import { keyOf } from "../load/keys.js";
import type { Operation } from "./open-loop.js";

/** Every so manyth read is decoded. */
const sampleEvery = 1000;
/** Locks of so many names are in use by turns; far more than are held at once. */
const lockNames = 100_000;
/** Begins the name of every lock. */
export const lockPrefix = "mixed-lock-";

type Kind = "range" | "put" | "lock";
const pattern: readonly Kind[] = Array.from({ length: 20 }, (_, index) =>
  index === 9 ? "lock" : index % 7 === 3 ? "put" : "range",
);

const { range, put } = kvService.methods;
const { lock, unlock } = lockService.methods;

export class MixedOperations {
  readonly #keys: number;
  readonly #value: Uint8Array;
  readonly #leases: readonly bigint[];
  #seed = 1;
  #reads = 0;
  #revision = 0;

  /** `leases`: the owners of locks. */
  constructor(keys: number, valueBytes: number, leases: readonly bigint[]) {
    this.#keys = keys;
    this.#value = new Uint8Array(valueBytes).fill("v".charCodeAt(0));
    this.#leases = leases;
  }

  /** The highest revision that a write was answered with. */
  get revision(): number {
    return this.#revision;
  }

  /** Begins operation `number`. */
  readonly begin: Operation = (number, connection, done) => {
    const kind = pattern[number % pattern.length];
    if (kind === "range") this.#range(connection, done);
    else if (kind === "put") this.#put(connection, done);
    else this.#lock(number, connection, done);
  };

  /** A linear congruential generator; its upper bits are used. */
  #drawKey(): string {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
    return keyOf(Math.floor((this.#seed / 2 ** 32) * this.#keys));
  }

  #range(connection: DriverConnection, done: () => void): void {
    const key = byteStringFromText(this.#drawKey());
    const isSampled = this.#reads++ % sampleEvery === 0;
    const message = (chunk: Uint8Array, from: number, to: number): void => {
      if (to - from <= this.#value.length) throw new Error("an answer without the value");
      if (!isSampled) return;
      const { kvs } = range.response.decode(chunk, from, to);
      if (kvs.length !== 1 || kvs[0]?.key !== key || kvs[0].value.length !== this.#value.length) {
        throw new Error("an answer with another pair than the one asked for");
      }
    };
    connection.unary(range.path, range.request.encode(range.request.create({ key })), { message, end: done });
  }

  #put(connection: DriverConnection, done: () => void): void {
    const request = createPutRequest({ key: byteStringFromText(this.#drawKey()), value: this.#value });
    const message = (chunk: Uint8Array, from: number, to: number): void => {
      this.#revision = Math.max(this.#revision, put.response.decode(chunk, from, to).header?.revision ?? 0);
    };
    connection.unary(put.path, put.request.encode(request), { message, end: done });
  }

  #lock(number: number, connection: DriverConnection, done: () => void): void {
    const name = byteStringFromText(`${lockPrefix}${number % lockNames}`);
    const lease = this.#leases[number % this.#leases.length] ?? 0n;
    const due = `${name}/${lease.toString(16)}`;
    const listener: CallListener = {
      message: (chunk, from, to) => {
        const { key } = lock.response.decode(chunk, from, to);
        if (key !== due) throw new Error(`a lock under ${key} and not ${due}`);
      },
      end: () => {
        const request = createUnlockRequest({ key: byteStringFromText(due) });
        connection.unary(unlock.path, unlock.request.encode(request), { message: () => {}, end: done });
      },
    };
    connection.unary(lock.path, lock.request.encode(createLockRequest({ name, lease })), listener);
  }
}
