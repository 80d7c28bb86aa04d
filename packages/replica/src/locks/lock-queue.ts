/**
 * The contenders for one name: every live key under its prefix, oldest first (LOCK-3, LOCK-5).
 *
 * A doubly linked list with a map into it, so that joining at the end, leaving from anywhere and
 * asking for the oldest cost the same with ten contenders as with a hundred thousand. Keys made by
 * one transaction share a create revision; among them the byte-smallest comes first (ELECT-2).
 */
import type { ByteString } from "@holdfast/protocol";
import type { KeyVersion } from "@holdfast/state-machine";
import { PartedMap } from "./parted-map.js";

/** Told what became of the place in the queue. Called from within the replica's turn. */
export interface LockWaiter {
  /** The key is the oldest now, at the revision just applied. */
  granted(): void;
  /** The key is gone: deleted, or its lease ended. It can never be granted (LOCK-16). */
  lost(): void;
}

/** One contender. A key that is deleted and made again is another contender (LOCK-17). */
export interface Contender {
  readonly key: ByteString;
  readonly createRevision: number;
  /**
   * Callers waiting on this key; several calls may share one lease and so one key (LOCK-11). Made when there is one:
   * nobody ever waits on ordinary keys.
   */
  waiters: Set<LockWaiter> | undefined;
  /** False while its place is not known yet (`LockQueue.reserve`). */
  linked: boolean;
  older: Contender | undefined;
  newer: Contender | undefined;
}

export class LockQueue {
  /** What all its keys begin with; ends with "/". */
  readonly prefix: ByteString;
  readonly #byKey = new PartedMap<Contender>();
  #oldest: Contender | undefined;
  #newest: Contender | undefined;
  /** Waiters over all contenders; at zero the queue need not be kept. */
  waiterCount = 0;
  /** What is left to do until all living keys are in here; undefined when they are. Until then `oldest` means nothing. */
  filling: Iterator<undefined, void> | undefined;
  /** Who wants to be told the oldest key when all are in here. */
  readonly askers: ((oldest: KeyVersion | undefined) => void)[] = [];

  constructor(prefix: ByteString) {
    this.prefix = prefix;
  }

  get oldest(): Contender | undefined {
    return this.#oldest;
  }

  get size(): number {
    return this.#byKey.size;
  }

  get(key: ByteString): Contender | undefined {
    return this.#byKey.get(key);
  }

  /** Adds a key just created. Create revisions never fall, so its place is at or near the end. */
  add(key: ByteString, createRevision: number): void {
    let older = this.#newest;
    while (older !== undefined && older.createRevision === createRevision && older.key > key) older = older.older;
    this.#link(newContender(key, createRevision), older);
  }

  /** Adds a key that is older than all that are linked: so a queue is filled from its end. */
  prepend(key: ByteString, createRevision: number): void {
    this.#link(this.#byKey.get(key) ?? newContender(key, createRevision), undefined);
  }

  /** Gives a key that is still to be prepended its contender, so that it can be waited on. */
  reserve(key: ByteString, createRevision: number): Contender {
    const contender = newContender(key, createRevision);
    this.#byKey.set(key, contender);
    return contender;
  }

  #link(contender: Contender, older: Contender | undefined): void {
    const newer = older === undefined ? this.#oldest : older.newer;
    contender.linked = true;
    contender.older = older;
    contender.newer = newer;
    if (older === undefined) this.#oldest = contender;
    else older.newer = contender;
    if (newer === undefined) this.#newest = contender;
    else newer.older = contender;
    this.#byKey.set(contender.key, contender);
  }

  /** Takes out a key just deleted and returns its contender, whose waiters have lost. */
  remove(key: ByteString): Contender | undefined {
    const contender = this.#byKey.get(key);
    if (contender === undefined) return undefined;
    this.#byKey.delete(key);
    if (!contender.linked) return contender;
    if (contender.older === undefined) this.#oldest = contender.newer;
    else contender.older.newer = contender.newer;
    if (contender.newer === undefined) this.#newest = contender.older;
    else contender.newer.older = contender.older;
    return contender;
  }
}

function newContender(key: ByteString, createRevision: number): Contender {
  return { key, createRevision, waiters: undefined, linked: false, older: undefined, newer: undefined };
}
