/** One gRPC stream with one or more watchers, as a load driver needs it: opened, told how many events came for whom. */

import {
  byteStringFromText,
  createWatchCreateRequest,
  createWatchRequest,
  type WatchResponse,
  watchService,
} from "@holdfast/protocol";
import type { CallListener, DriverConnection, DriverStream } from "../driver/driver-connection.js";
import { newSkimmed, skimWatchResponse } from "./skim.js";

const { path, request, response } = watchService.methods.watch;
/** Shared by all streams: nothing else runs between filling it and reading it. */
const skimmed = newSkimmed();
/** One response of so many on each stream is decoded and looked at in full, beginning with the first. */
const sampleEvery = 1000;

/** What one watcher watches. */
export interface Watched {
  readonly key: string;
  readonly rangeEnd?: string;
  readonly startRevision?: number;
}

/** Told what comes; `watcher` counts from 0 within the stream. What it throws ends the load. */
export interface WatchListener {
  /** All watchers stand. */
  created(): void;
  /** So many further events for a watcher. */
  events(watcher: number, count: number): void;
  /** Called just before `events` for the first response of a stream and every thousandth after it. */
  sample(watcher: number, response: WatchResponse): void;
}

/** The open stream. */
export class WatcherStream implements CallListener {
  readonly #stream: DriverStream;
  readonly #listener: WatchListener;
  #awaited: number;
  #responses = 0;

  constructor(connection: DriverConnection, watchers: readonly Watched[], listener: WatchListener) {
    this.#listener = listener;
    this.#awaited = watchers.length;
    this.#stream = connection.open(path, this);
    watchers.forEach(({ key, rangeEnd = "", startRevision = 0 }, watcher) => {
      const createRequest = createWatchCreateRequest({
        key: byteStringFromText(key),
        rangeEnd: byteStringFromText(rangeEnd),
        startRevision,
        watchId: BigInt(watcher + 1),
      });
      this.#stream.send(request.encode(createWatchRequest({ createRequest })));
    });
  }

  message(chunk: Uint8Array, from: number, to: number): void {
    skimWatchResponse(chunk, from, to, skimmed);
    const { watchId, events, isCreated, isCanceled } = skimmed;
    if (isCanceled) throw new Error(`the server cancelled a watch: ${response.decode(chunk, from, to).cancelReason}`);
    if (isCreated && --this.#awaited === 0) this.#listener.created();
    if (events === 0) return;
    if (this.#responses++ % sampleEvery === 0) this.#listener.sample(watchId - 1, response.decode(chunk, from, to));
    this.#listener.events(watchId - 1, events);
  }

  end(status: number, text: string): void {
    throw new Error(`a watch stream ended with status ${status}: ${text}`);
  }

  cancel(): void {
    this.#stream.cancel();
  }
}
