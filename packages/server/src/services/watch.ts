/**
 * The Watch service: one stream, many watchers, told apart by id. This file keeps the ids and answers
 * creates, cancels and progress requests; `watch-output.ts` writes what goes out, the hub in the
 * replica decides who sees which event.
 */
import {
  type ByteString,
  cancelReasons,
  emptyByteString,
  FilterType,
  type WatchCreateRequest,
  type WatchRequest,
  watchService,
} from "@holdfast/protocol";
import type { Watcher } from "@holdfast/replica";
import type { Action, Caller, Refusal } from "@holdfast/state-machine";
import type { Method, ServerCall } from "@holdfast/transport";
import { type Identified, invalidToken } from "../access/access.js";
import { WatchWriters } from "./catch-up-response.js";
import type { ServiceContext } from "./context.js";
import { bidi, type StreamHandler } from "./method.js";
import { watchBoundTexts } from "./watch-counts.js";
import { WatchOutput, WatchSlot } from "./watch-output.js";

const zeroByte = "\0" as ByteString;

export function watchMethods(context: ServiceContext): Method[] {
  const writers = new WatchWriters();
  return [bidi(context, watchService.methods.watch, (call) => new WatchStream(call, context, writers))];
}

class WatchStream implements StreamHandler<WatchRequest> {
  readonly #call: ServerCall;
  readonly #context: ServiceContext;
  readonly #output: WatchOutput;
  /** Every id in use. A slot whose watcher has ended keeps its id until the client cancels it (WATCH-24). */
  readonly #slots = new Map<bigint, WatchSlot>();
  #nextId = 0n;
  #stopProgress: (() => void) | undefined;

  constructor(call: ServerCall, context: ServiceContext, writers: WatchWriters) {
    this.#call = call;
    this.#context = context;
    this.#output = new WatchOutput(call, context, writers);
    context.openCalls.add(call, () => this.#close());
    call.onDrain(() => context.replica.watches.drained(this.#watchers()));
  }

  message(request: WatchRequest): void {
    if (request.createRequest !== undefined) this.#create(request.createRequest);
    else if (request.cancelRequest !== undefined) this.#cancel(request.cancelRequest.watchId);
    else if (request.progressRequest !== undefined) this.#progress();
    // Nothing set: ignored (WATCH-15).
  }

  /** The client is done asking, not done listening (WATCH-16). */
  halfClose(): void {}

  broken(): void {
    this.#context.openCalls.remove(this.#call);
    this.#close();
  }

  #create(request: WatchCreateRequest): void {
    const caller = this.#context.access.identify(this.#call);
    const reason = this.#refusal(request, caller);
    if (reason !== undefined || caller === invalidToken) {
      this.#output.refused(reason ?? cancelReasons.invalidAuthToken);
      return;
    }
    const { watchers, limitHits } = this.#context;
    const bound = watchers.reachedBy(this.#call.peer, this.#slots.size);
    if (bound !== undefined) {
      limitHits.count(bound);
      this.#output.refused(watchBoundTexts[bound]);
      return;
    }
    const slot = new WatchSlot(request, request.watchId === 0n ? this.#freeId() : request.watchId, this.#output);
    this.#slots.set(slot.id, slot);
    watchers.add(this.#call.peer);
    this.#output.created(slot);
    // A client that does not read may have lost the stream with this very answer.
    if (this.#call.ended) return;
    this.#start(slot, request, caller);
    if (request.progressNotify) this.#startProgress();
  }

  /** Why a create is refused, in etcd's order of checks (ORD-4). */
  #refusal(request: WatchCreateRequest, caller: Identified): string | undefined {
    if (request.startRevision < 0) return cancelReasons.compacted;
    const reason = this.#accessReason(request, caller);
    if (reason !== undefined) return reason;
    const { rangeEnd } = request;
    const isInterval = rangeEnd !== emptyByteString && rangeEnd !== zeroByte;
    if (isInterval && firstKey(request) >= rangeEnd) return cancelReasons.emptyRange;
    if (request.watchId !== 0n && this.#slots.has(request.watchId)) return cancelReasons.duplicateId;
    return undefined;
  }

  /** Why the caller may not watch this (WATCH-10, WATCH-12). */
  #accessReason(request: WatchCreateRequest, caller: Identified): string | undefined {
    if (caller === invalidToken) return cancelReasons.invalidAuthToken;
    const refusal = this.#context.access.refusal(actionOf(request), caller);
    return refusal === undefined ? undefined : reasonOf(refusal);
  }

  /** Automatic ids count up and never go back, skipping those in use (WATCH-2). */
  #freeId(): bigint {
    while (this.#slots.has(this.#nextId)) this.#nextId++;
    return this.#nextId++;
  }

  #start(slot: WatchSlot, request: WatchCreateRequest, caller: Caller | undefined): void {
    const { openRights } = this.#context;
    slot.right = openRights.hold(caller, actionOf(request), (refusal) => this.#withdrawn(slot, refusal));
    slot.watcher = this.#context.replica.watches.watch({
      key: firstKey(request),
      rangeEnd: request.rangeEnd,
      startRevision: request.startRevision,
      dropPuts: request.filters.includes(FilterType.NOPUT),
      dropDeletes: request.filters.includes(FilterType.NODELETE),
      consumer: slot,
    });
  }

  /** The caller may not watch this any more. The id stays in use, as when history is gone (WATCH-24). */
  #withdrawn(slot: WatchSlot, refusal: Refusal): void {
    this.#end(slot);
    this.#output.withdrawn(slot, reasonOf(refusal));
  }

  #end(slot: WatchSlot): void {
    if (slot.watcher !== undefined) this.#context.replica.watches.remove(slot.watcher);
    slot.watcher = undefined;
  }

  /** Those that have not ended. */
  *#watchers(): Generator<Watcher> {
    for (const { watcher } of this.#slots.values()) if (watcher !== undefined) yield watcher;
  }

  /** Unknown ids are silently ignored (WATCH-14). */
  #cancel(id: bigint): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#slots.delete(id);
    this.#context.watchers.remove(this.#call.peer, 1);
    this.#context.openRights.release(slot.right);
    this.#end(slot);
    this.#output.canceled(slot);
  }

  /**
   * Answered only when every watcher of the stream is caught up, else not at all (WATCH-31). One that compaction has
   * ended is behind for as long as it keeps its id.
   */
  #progress(): void {
    const { watches } = this.#context.replica;
    if (this.#slots.size === 0) return;
    for (const { watcher } of this.#slots.values()) {
      if (watcher === undefined || !watches.isCaughtUp(watcher)) return;
    }
    this.#output.streamProgress();
  }

  #startProgress(): void {
    const { environment, limits } = this.#context;
    this.#stopProgress ??= environment.every(environment.jitter(limits.watchProgressIntervalMs), () =>
      this.#progressTick(),
    );
  }

  /** Tells idle, caught-up watchers how far they are; after events one tick is skipped (WATCH-29). */
  #progressTick(): void {
    for (const slot of this.#slots.values()) {
      const { watcher } = slot;
      if (watcher === undefined) continue;
      const idle = !slot.hadEvents;
      slot.hadEvents = false;
      if (slot.wantsProgress && idle && !this.#call.congested && this.#context.replica.watches.isCaughtUp(watcher)) {
        this.#output.progress(slot);
      }
    }
  }

  #close(): void {
    this.#stopProgress?.();
    for (const slot of this.#slots.values()) {
      this.#end(slot);
      this.#context.openRights.release(slot.right);
    }
    this.#context.watchers.remove(this.#call.peer, this.#slots.size);
    this.#slots.clear();
  }
}

function actionOf(request: WatchCreateRequest): Action {
  return { kind: "watch", key: firstKey(request), rangeEnd: request.rangeEnd };
}

function reasonOf(refusal: Refusal): string {
  if (refusal === "user-empty") return cancelReasons.userEmpty;
  return refusal === "auth-revision-old" ? cancelReasons.authOldRevision : cancelReasons.permissionDenied;
}

/** An empty key is the lowest one (WATCH-6). */
function firstKey(request: WatchCreateRequest): ByteString {
  return request.key === emptyByteString ? zeroByte : request.key;
}
