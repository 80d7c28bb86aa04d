/**
 * What a watch stream sends: encodes each event once for all its watchers, cuts oversized responses
 * into fragments on request, and writes the control answers.
 */
import {
  createWatchResponse,
  encodeEvent,
  encodeSharedWatchResponse,
  type WatchCreateRequest,
  type WatchResponse,
} from "@holdfast/protocol";
import type { CatchUpResponse, SharedEvent, WatchConsumer, Watcher } from "@holdfast/replica";
import type { KeyVersion } from "@holdfast/state-machine";
import type { ServerCall } from "@holdfast/transport";
import { HistoryResponse, type WatchWriters } from "./catch-up-response.js";
import type { ServiceContext } from "./context.js";
import type { OpenRight } from "./open-rights.js";
import { bytesInResponse, eventsTag, eventTypeOf, writeEventField, writeHead } from "./watch-response.js";

const noId = -1n;

/**
 * One watcher of a stream, from its creation until the client cancels it. It is what the hub tells of events, so that the way
 * from there to the stream leads through no table.
 */
export class WatchSlot implements WatchConsumer {
  readonly id: bigint;
  readonly wantsPrevious: boolean;
  readonly wantsFragments: boolean;
  readonly wantsProgress: boolean;
  readonly #output: WatchOutput;
  /** Set since the last progress tick. */
  hadEvents = false;
  /** Undefined until registered, and when it has ended. */
  watcher: Watcher | undefined = undefined;
  /** To what it watches; undefined for nobody's. */
  right: OpenRight | undefined = undefined;

  constructor({ prevKv, fragment, progressNotify }: WatchCreateRequest, id: bigint, output: WatchOutput) {
    this.id = id;
    this.wantsPrevious = prevKv;
    this.wantsFragments = fragment;
    this.wantsProgress = progressNotify;
    this.#output = output;
  }

  get congested(): boolean {
    return this.#output.congested;
  }

  events(_watcher: Watcher, events: readonly SharedEvent[], headerRevision: number): void {
    this.#output.events(this, events, headerRevision);
  }

  catchUp(watcher: Watcher, headerRevision: number): CatchUpResponse {
    return this.#output.catchUp(this, watcher, headerRevision);
  }

  compacted(_watcher: Watcher, compactRevision: number): void {
    this.#output.compacted(this, compactRevision);
  }
}

export class WatchOutput {
  readonly #call: ServerCall;
  readonly #context: ServiceContext;
  readonly #writers: WatchWriters;

  /** `writers` may serve any number of streams. */
  constructor(call: ServerCall, context: ServiceContext, writers: WatchWriters) {
    this.#call = call;
    this.#context = context;
    this.#writers = writers;
  }

  get congested(): boolean {
    return this.#call.congested;
  }

  created(slot: WatchSlot): void {
    this.#send({ watchId: slot.id, created: true });
  }

  /** A create that is refused: the stream lives on (WATCH-3, WATCH-4, WATCH-9). */
  refused(cancelReason: string): void {
    this.#send({ watchId: noId, created: true, canceled: true, cancelReason });
  }

  canceled(slot: WatchSlot): void {
    this.#send({ watchId: slot.id, canceled: true });
  }

  /** The server has ended it. */
  withdrawn(slot: WatchSlot, cancelReason: string): void {
    this.#send({ watchId: slot.id, canceled: true, cancelReason });
  }

  progress(slot: WatchSlot): void {
    this.#send({ watchId: slot.id });
  }

  streamProgress(): void {
    this.#send({ watchId: noId });
  }

  /** Header revision 0 and no reason: the compact revision says it all (WATCH-22). */
  compacted(slot: WatchSlot, compactRevision: number): void {
    slot.watcher = undefined;
    this.#context.openRights.release(slot.right);
    const header = this.#context.header(0);
    this.#call.send(
      encodeSharedWatchResponse(createWatchResponse({ header, watchId: slot.id, canceled: true, compactRevision })),
    );
  }

  events(slot: WatchSlot, events: readonly SharedEvent[], headerRevision: number): void {
    if (!this.#context.openRights.isHeld(slot.right)) return;
    slot.hadEvents = true;
    const [first] = events;
    if (events.length > 1 || slot.wantsPrevious || first === undefined) this.#sendMany(slot, events, headerRevision);
    else if (first.isShared) this.#sendShared(slot, first, headerRevision);
    else this.#sendOnly(slot, first.version, headerRevision);
  }

  /** Nobody else gets the event: it is copied from where it is stored to where it leaves. */
  #sendOnly(slot: WatchSlot, version: KeyVersion, headerRevision: number): void {
    this.#writeHead(slot, headerRevision, false);
    writeEventField(this.#writers.live, version);
    this.#call.send(this.#writers.live.view());
  }

  /** Most streams have one watcher, whose id is that of most others: such a response is the same for all of them. */
  #sendShared(slot: WatchSlot, event: SharedEvent, headerRevision: number): void {
    if (event.response !== undefined && event.responseId === slot.id) {
      this.#call.send(event.response);
      return;
    }
    this.#write(slot, [this.#encode(event, false)], headerRevision, false);
    if (event.response === undefined) {
      event.response = this.#writers.live.copy();
      event.responseId = slot.id;
    }
    this.#call.send(this.#writers.live.view());
  }

  #sendMany(slot: WatchSlot, events: readonly SharedEvent[], headerRevision: number): void {
    const encoded = events.map((event) => this.#encode(event, slot.wantsPrevious));
    if (slot.wantsFragments && this.#isOversized(slot, encoded, headerRevision)) {
      this.#sendFragments(slot, encoded, headerRevision);
      return;
    }
    this.#sendEvents(slot, encoded, headerRevision, false);
  }

  catchUp(slot: WatchSlot, watcher: Watcher, headerRevision: number): CatchUpResponse {
    const { id: watchId, wantsPrevious, wantsFragments } = slot;
    const kind = { watchId, wantsPrevious, wantsFragments, headerRevision };
    return new HistoryResponse(this.#context, this.#writers, kind, (message) => {
      if (slot.watcher !== watcher || !this.#context.openRights.isHeld(slot.right)) return;
      slot.hadEvents = true;
      this.#call.send(message);
    });
  }

  /** Pieces below the limit, each with at least one event, all but the last marked (WATCH-27). */
  #sendFragments(slot: WatchSlot, encoded: readonly Uint8Array[], headerRevision: number): void {
    const { watchFragmentBytes } = this.#context.limits;
    const headBytes = this.#headBytes(slot, headerRevision, true);
    let start = 0;
    let bytes = headBytes;
    for (let i = 0; i < encoded.length; i++) {
      const size = bytesInResponse(encoded[i] as Uint8Array);
      if (i > start && bytes + size >= watchFragmentBytes) {
        this.#sendEvents(slot, encoded.slice(start, i), headerRevision, true);
        start = i;
        bytes = headBytes;
      }
      bytes += size;
    }
    this.#sendEvents(slot, encoded.slice(start), headerRevision, false);
  }

  #isOversized(slot: WatchSlot, encoded: readonly Uint8Array[], headerRevision: number): boolean {
    if (encoded.length < 2) return false;
    let bytes = this.#headBytes(slot, headerRevision, false);
    for (const event of encoded) bytes += bytesInResponse(event);
    return bytes >= this.#context.limits.watchFragmentBytes;
  }

  #sendEvents(slot: WatchSlot, encoded: readonly Uint8Array[], revision: number, fragment: boolean): void {
    this.#write(slot, encoded, revision, fragment);
    this.#call.send(this.#writers.live.view());
  }

  #write(slot: WatchSlot, encoded: readonly Uint8Array[], revision: number, fragment: boolean): void {
    this.#writeHead(slot, revision, fragment);
    for (const event of encoded) this.#writers.live.bytesField(eventsTag, event);
  }

  #writeHead(slot: WatchSlot, revision: number, fragment: boolean): void {
    writeHead(this.#writers.live, this.#context, slot.id, revision, fragment);
  }

  /** What a response takes without its events. */
  #headBytes(slot: WatchSlot, revision: number, fragment: boolean): number {
    this.#writeHead(slot, revision, fragment);
    return this.#writers.live.view().length;
  }

  #send(response: Partial<WatchResponse>): void {
    const header = this.#context.headerNow();
    this.#call.send(encodeSharedWatchResponse(createWatchResponse({ header, ...response })));
  }

  /** The event encoded by the first watcher that needs it, for all of them. */
  #encode(event: SharedEvent, withPrevious: boolean): Uint8Array {
    if (!withPrevious) {
      event.encoded ??= encode(event.version, undefined);
      return event.encoded;
    }
    if (event.encodedWithPrevious === undefined) {
      const previous = this.#context.replica.machine.previousVersion(event.version);
      event.encodedWithPrevious = encode(event.version, previous);
    }
    return event.encodedWithPrevious;
  }
}

function encode(version: KeyVersion, previous: KeyVersion | undefined): Uint8Array {
  return encodeEvent({ type: eventTypeOf(version), kv: version, prevKv: previous });
}
