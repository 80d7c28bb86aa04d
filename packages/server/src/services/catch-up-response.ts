/**
 * One watch response with events of the history, written event by event: there are many of them, and nobody else to share
 * their encodings with. It may take several turns of the event loop, and is cut into fragments where that was asked for.
 */
import { encodeSharedEvent, Writer } from "@holdfast/protocol";
import type { CatchUpResponse } from "@holdfast/replica";
import type { KeyVersion } from "@holdfast/state-machine";
import type { ServiceContext } from "./context.js";
import { bytesInResponse, eventsTag, eventTypeOf, writeHead } from "./watch-response.js";

/** What the responses of all streams are written with; none is in use between turns. A writer takes 16 KiB. */
export class WatchWriters {
  /** Live events. */
  readonly live = new Writer();
  /** Events of the history, and the responses that they leave in. */
  readonly events = new Writer();
  readonly response = new Writer();
}

/** To whom a response goes, and how. */
export interface ResponseKind {
  readonly watchId: bigint;
  readonly wantsPrevious: boolean;
  readonly wantsFragments: boolean;
  readonly headerRevision: number;
}

/** Encoded events that leave in one response. */
interface Fragment {
  readonly parts: Uint8Array[];
  bytes: number;
}

export class HistoryResponse implements CatchUpResponse {
  readonly #context: ServiceContext;
  readonly #writers: WatchWriters;
  readonly #kind: ResponseKind;
  readonly #send: (message: Uint8Array) => void;
  /** The last is still being written. */
  readonly #fragments: Fragment[] = [{ parts: [], bytes: 0 }];
  /** What a fragment may have of events. */
  readonly #fragmentBytesMax: number;

  /** `send` gets the messages, valid only during the call; it may find that nobody is to get them any more. */
  constructor(context: ServiceContext, writers: WatchWriters, kind: ResponseKind, send: (message: Uint8Array) => void) {
    this.#context = context;
    this.#writers = writers;
    this.#kind = kind;
    this.#send = send;
    this.#fragmentBytesMax = kind.wantsFragments
      ? context.limits.watchFragmentBytes - this.#headBytes(true)
      : Number.POSITIVE_INFINITY;
    writers.events.reset();
  }

  add(version: KeyVersion): void {
    const event = encodeSharedEvent({
      type: eventTypeOf(version),
      kv: version,
      prevKv: this.#kind.wantsPrevious ? this.#context.replica.machine.previousVersion(version) : undefined,
    });
    const { events } = this.#writers;
    const bytes = bytesInResponse(event);
    let fragment = this.#fragments[this.#fragments.length - 1] as Fragment;
    if (fragment.bytes > 0 && fragment.bytes + bytes >= this.#fragmentBytesMax) {
      this.pause();
      fragment = { parts: [], bytes: 0 };
      this.#fragments.push(fragment);
    }
    events.bytesField(eventsTag, event);
    fragment.bytes += bytes;
  }

  pause(): void {
    const { events } = this.#writers;
    if (events.length > 0) this.#fragments[this.#fragments.length - 1]?.parts.push(events.copy());
    events.reset();
  }

  send(): void {
    const fragments = this.#isOversized() ? this.#fragments : [joined(this.#fragments)];
    const last = fragments.length - 1;
    for (const [at, { parts }] of fragments.entries()) {
      const { response, events } = this.#writers;
      this.#writeHead(at < last);
      for (const part of parts) response.raw(part);
      if (at === last) response.raw(events.view());
      this.#send(response.view());
    }
    this.#writers.events.reset();
  }

  /** What fits in without the mark of a fragment, which takes room too, is not cut. */
  #isOversized(): boolean {
    if (this.#fragments.length === 1) return false;
    let bytes = this.#headBytes(false);
    for (const fragment of this.#fragments) bytes += fragment.bytes;
    return bytes >= this.#context.limits.watchFragmentBytes;
  }

  #writeHead(isFragment: boolean): void {
    const { watchId, headerRevision } = this.#kind;
    writeHead(this.#writers.response, this.#context, watchId, headerRevision, isFragment);
  }

  #headBytes(isFragment: boolean): number {
    this.#writeHead(isFragment);
    return this.#writers.response.length;
  }
}

function joined(fragments: readonly Fragment[]): Fragment {
  return { parts: fragments.flatMap(({ parts }) => parts), bytes: 0 };
}
