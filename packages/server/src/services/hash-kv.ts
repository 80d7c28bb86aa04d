/**
 * Maintenance.HashKV: a checksum over the readable history up to a revision (MAINT-8). It depends on nothing
 * but that history, so two members, or one before and after a restart, can be compared.
 *
 * First the pairs at the compaction point in key order, then every event behind it; read in slices, so that a
 * large store delays nobody.
 */
import { crc32 } from "node:zlib";
import {
  type ByteString,
  createRangeRequest,
  EventType,
  encodeSharedEvent,
  encodeSharedHashKVResponse,
  type KeyValue,
} from "@holdfast/protocol";
import type { KeyVersion, LargeRange, Refusal } from "@holdfast/state-machine";
import type { ServerCall } from "@holdfast/transport";
import type { ServiceContext } from "./context.js";
import { refuse } from "./method.js";
import { eventTypeOf } from "./watch-response.js";

const everyKey = "\0" as ByteString;
const sliceItems = 1_000;

export interface HistoryHash {
  readonly hash: number;
  /** The compaction point in force when hashing started; -1 is never. */
  readonly compactRevision: number;
}

/** Answers a HashKV call for `revision`; 0 is the current one. */
export function hashKv(revision: number, call: ServerCall, context: ServiceContext): void {
  const upTo = revision === 0 ? context.replica.machine.revision : revision;
  hashHistory(upTo, call, context, ({ hash, compactRevision }) => {
    const header = context.headerNow();
    call.reply(encodeSharedHashKVResponse({ header, hash, compactRevision, hashRevision: upTo }));
  });
}

/** Hashes the history up to a revision and hands it to `done`; ends the call where it cannot be read. */
export function hashHistory(
  upTo: number,
  call: ServerCall,
  context: ServiceContext,
  done: (hash: HistoryHash) => void,
): void {
  const refusal = refusalOf(upTo, context);
  if (refusal !== undefined) refuse(call, refusal);
  else new HistoryHasher(upTo, call, context, done).run();
}

function refusalOf(revision: number, context: ServiceContext): Refusal | undefined {
  const { machine } = context.replica;
  if (revision > machine.revision) return "future-revision";
  return revision < machine.compactRevision ? "compacted" : undefined;
}

class HistoryHasher {
  readonly #upTo: number;
  readonly #call: ServerCall;
  readonly #context: ServiceContext;
  readonly #done: (hash: HistoryHash) => void;
  readonly #compactRevision: number;
  #base: LargeRange | undefined;
  #nextRevision: number;
  /** Of revisions that were read, and how many of them are hashed. */
  #events: KeyVersion[] = [];
  #hashed = 0;
  #hash = 0;

  constructor(upTo: number, call: ServerCall, context: ServiceContext, done: (hash: HistoryHash) => void) {
    const { machine } = context.replica;
    this.#upTo = upTo;
    this.#call = call;
    this.#context = context;
    this.#done = done;
    this.#compactRevision = machine.compactRevision;
    this.#nextRevision = Math.max(this.#compactRevision, 0) + 1;
    this.#base = this.#openBase();
  }

  run(): void {
    if (this.#call.ended) return;
    if (this.#context.replica.machine.compactRevision !== this.#compactRevision) refuse(this.#call, "compacted");
    else if (this.#slice()) this.#context.environment.defer(() => this.run());
    else this.#done({ hash: this.#hash, compactRevision: this.#compactRevision });
  }

  #openBase(): LargeRange | undefined {
    // Nothing lies at revision 0, and as the revision of a range it would mean the present.
    if (this.#compactRevision <= 0) return undefined;
    const request = createRangeRequest({ key: everyKey, rangeEnd: everyKey, revision: this.#compactRevision });
    return this.#context.replica.machine.largeRange(request);
  }

  /** Hashes the next slice. True if there is more. */
  #slice(): boolean {
    if (this.#base !== undefined) {
      const piece = this.#base.next(sliceItems);
      if (piece.kind === "slice") for (const pair of piece.kvs) this.#add(EventType.PUT, pair);
      if (piece.kind === "refused" || piece.done) this.#base = undefined;
      return true;
    }
    if (this.#hashed === this.#events.length && !this.#read()) return false;
    const end = Math.min(this.#events.length, this.#hashed + sliceItems);
    for (; this.#hashed < end; this.#hashed++) {
      const event = this.#events[this.#hashed] as KeyVersion;
      this.#add(eventTypeOf(event), event);
    }
    return true;
  }

  /** Reads the next revisions; one of them may be a delete of very many keys. False if there are none. */
  #read(): boolean {
    this.#events = [];
    this.#hashed = 0;
    if (this.#nextRevision > this.#upTo) return false;
    const { machine } = this.#context.replica;
    this.#nextRevision = machine.readHistory(this.#nextRevision, sliceItems, (revision, events) => {
      if (revision > this.#upTo) return false;
      for (const event of events) this.#events.push(event);
      return this.#events.length < sliceItems;
    });
    return true;
  }

  #add(type: EventType, kv: KeyValue): void {
    this.#hash = crc32(encodeSharedEvent({ type, kv, prevKv: undefined }), this.#hash);
  }
}
