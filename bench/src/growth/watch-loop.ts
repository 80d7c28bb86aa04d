/** Callers that watch a key from now on, and end the watch as soon as it stands: one after the other on one stream each. */
import {
  byteStringFromText,
  createWatchCancelRequest,
  createWatchCreateRequest,
  createWatchRequest,
  watchService,
} from "@holdfast/protocol";
import type { CallListener, DriverConnection, DriverStream } from "../driver/driver-connection.js";
import { ClosedLoop } from "../load/closed-loop.js";
import type { Connections } from "../load/connections.js";
import { keyOf } from "../load/keys.js";
import type { RoundDone } from "../load/round-done.js";
import { newSkimmed, skimWatchResponse } from "../watch/skim.js";

const { path, request, response } = watchService.methods.watch;
const watchId = 1n;
const cancelMessage = request.encode(createWatchRequest({ cancelRequest: createWatchCancelRequest({ watchId }) }));
const skimmed = newSkimmed();

function watchMessage(key: string): Uint8Array {
  return request.encode(
    createWatchRequest({ createRequest: createWatchCreateRequest({ key: byteStringFromText(key), watchId }) }),
  );
}

export class WatchLoop {
  readonly #loop: ClosedLoop;
  readonly #callers: readonly Caller[];

  /** So many callers, each with a key of its own among the first `keys`. */
  constructor(connections: Connections, callers: number, keys: number) {
    this.#loop = new ClosedLoop(connections, "watches");
    this.#callers = Array.from(
      { length: callers },
      (_, number) => new Caller(this.#loop, connections.at(number), watchMessage(keyOf(number % keys))),
    );
  }

  /** Lets every caller watch and stop watching for so long. */
  run(seconds: number): Promise<RoundDone> {
    return this.#loop.run(seconds, this.#callers.length, (nowMs) => {
      for (const caller of this.#callers) caller.start(nowMs);
    });
  }
}

class Caller implements CallListener {
  readonly #loop: ClosedLoop;
  readonly #connection: DriverConnection;
  readonly #watch: Uint8Array;
  #stream: DriverStream | undefined;
  #startMs = 0;

  constructor(loop: ClosedLoop, connection: DriverConnection, watch: Uint8Array) {
    this.#loop = loop;
    this.#connection = connection;
    this.#watch = watch;
  }

  start(nowMs: number): void {
    this.#startMs = nowMs;
    this.#stream ??= this.#connection.open(path, this);
    this.#stream.send(this.#watch);
  }

  message(chunk: Uint8Array, from: number, to: number): void {
    skimWatchResponse(chunk, from, to, skimmed);
    if (skimmed.isCanceled) this.#ended(chunk, from, to);
    else if (skimmed.isCreated) this.#stream?.send(cancelMessage);
    else throw new Error("a watch of a key that nobody writes was told something");
  }

  #ended(chunk: Uint8Array, from: number, to: number): void {
    if (skimmed.isCreated) throw new Error(`a watch was refused: ${response.decode(chunk, from, to).cancelReason}`);
    const nowMs = performance.now();
    if (this.#loop.done(this.#startMs, nowMs)) this.start(nowMs);
  }

  end(status: number, text: string): void {
    throw new Error(`a watch stream ended with status ${status}: ${text}`);
  }
}
