/** One stream of watches: creates, cancels and asks for progress, and takes down what is said on each watch. */
import {
  type WatchCreateRequest,
  type WatchRequest,
  type WatchResponse,
  watchCreateRequestCodec,
  watchService,
} from "@holdfast/protocol";
import type { CallListener, ClientCall } from "@holdfast/transport";
import type { Actor } from "./actor.js";
import type { Connected } from "./line.js";
import { WatchCursor } from "./watch-cursor.js";

const { path, request: requestCodec, response: responseCodec } = watchService.methods.watch;

/** Stands for the whole stream in answers that are about no single watch. */
const WHOLE_STREAM = -1n;

export class WatchStream implements CallListener {
  readonly #actor: Actor;
  readonly #connection: number;
  readonly #call: ClientCall;
  /** Created responses come in the order of the requests (WATCH-1). */
  readonly #creating: WatchCursor[] = [];
  readonly #cursors = new Map<bigint, WatchCursor>();
  /** Watches that were open when the stream ended. */
  orphans: readonly WatchCursor[] = [];
  /** When anything came last, on the client's clock. */
  heardMs: number;
  open = true;

  constructor(actor: Actor, { id, grpc }: Connected) {
    this.#actor = actor;
    this.#connection = id;
    this.heardMs = actor.party.clock.nowMs();
    this.#call = grpc.open(path, this);
  }

  /** Watches that were asked for and have not ended. */
  get cursors(): readonly WatchCursor[] {
    return [...this.#creating, ...this.#cursors.values()];
  }

  /** Asks for a watch; `resumedFrom` is what the client has seen of it on an earlier stream. */
  create(fields: Partial<WatchCreateRequest>, resumedFrom?: number): WatchCursor {
    const createRequest = watchCreateRequestCodec.create(fields);
    const caller = { client: this.#actor.name, connection: this.#connection };
    const record = this.#actor.scene.recorder.beginWatch(caller, createRequest, resumedFrom);
    const cursor = new WatchCursor(record, resumedFrom);
    this.#creating.push(cursor);
    this.#send({ createRequest });
    return cursor;
  }

  cancel(cursor: WatchCursor): void {
    this.cancelId(cursor.watchId ?? 0n);
  }

  /** Cancels by id: one that is not in use is ignored (WATCH-14). */
  cancelId(watchId: bigint): void {
    this.#send({ cancelRequest: { watchId } });
  }

  askProgress(): void {
    this.#send({ progressRequest: {} });
  }

  /** Reads nothing more until `resume`, like a client that has stopped reading (F20). */
  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  close(): void {
    this.#call.cancel();
  }

  message(bytes: Uint8Array): void {
    const { party, scene } = this.#actor;
    if (!party.alive) return;
    this.heardMs = party.clock.nowMs();
    const response = responseCodec.decode(bytes.slice());
    scene.heard(response.header?.revision);
    if (response.created) this.#created(response);
    else if (response.watchId === WHOLE_STREAM) this.#progressOfAll(response);
    else this.#told(response);
  }

  end(): void {
    this.open = false;
    if (!this.#actor.party.alive) return;
    const ended = this.#actor.scene.recorder.moment();
    this.orphans = this.cursors;
    for (const cursor of this.orphans) cursor.record.ended = ended;
    this.#creating.length = 0;
    this.#cursors.clear();
  }

  #send(fields: Partial<WatchRequest>): void {
    this.#call.send(requestCodec.encode(requestCodec.create(fields)));
  }

  #created(response: WatchResponse): void {
    const cursor = this.#creating.shift();
    if (cursor === undefined) {
      this.#actor.scene.complain(this.#actor.name, "WATCH-1: a watch was created that nobody asked for");
      return;
    }
    cursor.take(response, this.#actor.scene.recorder.moment());
    if (response.canceled) return;
    cursor.watchId = response.watchId;
    this.#cursors.set(response.watchId, cursor);
  }

  #progressOfAll(response: WatchResponse): void {
    const at = this.#actor.scene.recorder.moment();
    for (const cursor of this.#cursors.values()) cursor.take(response, at);
  }

  #told(response: WatchResponse): void {
    const cursor = this.#cursors.get(response.watchId);
    if (cursor === undefined) {
      // The answer to the cancelling of a watch that compaction had ended before (WATCH-24).
      if (response.canceled) return;
      this.#actor.scene.complain(
        this.#actor.name,
        `WATCH-13: a response on watch ${response.watchId}, which is not open`,
      );
      return;
    }
    cursor.take(response, this.#actor.scene.recorder.moment());
    if (!response.canceled) return;
    this.#cursors.delete(response.watchId);
    // Until then the stream as a whole counts as behind (WATCH-24, WATCH-31).
    if (response.compactRevision === 0) return;
    this.#actor.scene.heardCompacted(response.compactRevision);
    this.cancelId(response.watchId);
  }
}
