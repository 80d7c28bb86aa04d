/** Callers that watch a key from now on, and end the watch as soon as it stands: one after the other on one stream each. */
import {
  byteStringFromText,
  createWatchCancelRequest,
  createWatchCreateRequest,
  createWatchRequest,
  watchService,
} from "@holdfast/protocol";
import type { CallListener, DriverConnection, DriverStream } from "../driver/driver-connection.js";
import type { Connections } from "../load/connections.js";
import { keyOf } from "../load/keys.js";
import { newSkimmed, skimWatchResponse } from "../watch/skim.js";

const { path, request, response } = watchService.methods.watch;
const watchId = 1n;
const cancelMessage = request.encode(createWatchRequest({ cancelRequest: createWatchCancelRequest({ watchId }) }));
const skimmed = newSkimmed();
const lastAnswersWithinMs = 60_000;

function watchMessage(key: string): Uint8Array {
  return request.encode(
    createWatchRequest({ createRequest: createWatchCreateRequest({ key: byteStringFromText(key), watchId }) }),
  );
}

export class WatchLoop {
  readonly #connections: Connections;
  readonly #callers: readonly Caller[];
  #watches = 0;
  #busy = 0;
  #stopAtMs = 0;
  #finished: () => void = () => {};

  /** So many callers, each with a key of its own among the first `keys`. */
  constructor(connections: Connections, callers: number, keys: number) {
    this.#connections = connections;
    this.#callers = Array.from(
      { length: callers },
      (_, number) => new Caller(this, connections.at(number), watchMessage(keyOf(number % keys))),
    );
  }

  /** Lets every caller watch and stop watching for so long. */
  async run(seconds: number): Promise<{ operations: number; seconds: number }> {
    const startMs = performance.now();
    this.#watches = 0;
    this.#stopAtMs = startMs + seconds * 1000;
    this.#busy = this.#callers.length;
    const finished = new Promise<void>((resolve) => {
      this.#finished = resolve;
    });
    for (const caller of this.#callers) caller.start();
    await this.#connections.during("the last watches", seconds * 1000 + lastAnswersWithinMs, finished);
    return { operations: this.#watches, seconds: (performance.now() - startMs) / 1000 };
  }

  /** A watch has come to its end; returns whether its caller shall go on. */
  watched(): boolean {
    this.#watches += 1;
    if (performance.now() < this.#stopAtMs) return true;
    this.#busy -= 1;
    if (this.#busy === 0) this.#finished();
    return false;
  }
}

class Caller implements CallListener {
  readonly #loop: WatchLoop;
  readonly #connection: DriverConnection;
  readonly #watch: Uint8Array;
  #stream: DriverStream | undefined;

  constructor(loop: WatchLoop, connection: DriverConnection, watch: Uint8Array) {
    this.#loop = loop;
    this.#connection = connection;
    this.#watch = watch;
  }

  start(): void {
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
    if (this.#loop.watched()) this.start();
  }

  end(status: number, text: string): void {
    throw new Error(`a watch stream ended with status ${status}: ${text}`);
  }
}
