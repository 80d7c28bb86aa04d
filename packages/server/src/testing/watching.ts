/** Short ways to speak on a watch stream. */
import {
  createWatchCancelRequest,
  createWatchCreateRequest,
  createWatchProgressRequest,
  type WatchCreateRequest,
  type WatchRequest,
  type WatchResponse,
  watchService,
} from "@holdfast/protocol";
import { byteString, showEvents, type TestClient } from "./test-client.js";
import type { TestStream } from "./test-stream.js";

export type WatchStream = TestStream<WatchRequest, WatchResponse>;

/** A watch stream without a watcher. */
export function openWatch(client: TestClient): WatchStream {
  return client.open(watchService.methods.watch);
}

export type CreateFields = Partial<Omit<WatchCreateRequest, "key" | "rangeEnd">> & { rangeEnd?: string };

/** Asks for a watcher on `key`. */
export function sendCreate(stream: WatchStream, key: string, { rangeEnd = "", ...fields }: CreateFields = {}): void {
  const range = { key: byteString(key), rangeEnd: byteString(rangeEnd) };
  stream.send({ createRequest: createWatchCreateRequest({ ...range, ...fields }) });
}

/** Asks for a watcher on `key` and takes the next response, which is the answer if nothing else is under way. */
export function create(stream: WatchStream, key: string, fields: CreateFields = {}): Promise<WatchResponse> {
  sendCreate(stream, key, fields);
  return stream.next();
}

export function sendCancel(stream: WatchStream, watchId: bigint): void {
  stream.send({ cancelRequest: createWatchCancelRequest({ watchId }) });
}

export function sendProgress(stream: WatchStream): void {
  stream.send({ progressRequest: createWatchProgressRequest() });
}

/** The next `count` events of the stream, in order, as `showEvents` shows them. */
export async function events(stream: WatchStream, count: number): Promise<string[]> {
  const shown: string[] = [];
  while (shown.length < count) shown.push(...showEvents(await stream.next()));
  return shown;
}

/** Asserts by asking: the very next response is the one to a create request, so nothing was sent before it. */
export async function nextIsCreated(stream: WatchStream): Promise<boolean> {
  return (await create(stream, "nobody writes this")).created;
}
