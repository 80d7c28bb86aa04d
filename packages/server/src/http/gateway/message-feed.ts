/**
 * Feeds the messages of a stream's request, one JSON value after the other, to the method: no faster than it takes them,
 * and in slices, so that a long body does not keep others waiting.
 */
import { JsonError, JsonMessages, type MessageCodec } from "@holdfast/protocol";
import type { HttpLimits } from "../limits.js";
import type { InputListener } from "./call-input.js";

const nothing = -1;

/** Takes what was read, as the method wants it. */
export interface FeedTarget {
  /** No more is wanted. */
  readonly ended: boolean;
  /** One message in its binary form. */
  message(bytes: Uint8Array): void;
  halfClose(): void;
}

type TurnLimits = Pick<HttpLimits, "messagesPerTurn" | "jsonCharactersPerTurn">;

export class MessageFeed implements InputListener {
  readonly #codec: MessageCodec<unknown>;
  readonly #target: FeedTarget;
  readonly #defer: (task: () => void) => void;
  readonly #messagesPerTurn: number;
  readonly #charactersPerTurn: number;
  readonly #waiting: JsonMessages<unknown>[] = [];
  /** Nothing more comes, whether the input ended or could not be read. */
  #isLast = false;
  #closed = false;
  #paused = false;
  #pumping = false;

  /** `defer` runs a task in a later turn, when others had theirs. */
  constructor(codec: MessageCodec<unknown>, target: FeedTarget, limits: TurnLimits, defer: (task: () => void) => void) {
    this.#codec = codec;
    this.#target = target;
    this.#defer = defer;
    this.#messagesPerTurn = limits.messagesPerTurn;
    this.#charactersPerTurn = limits.jsonCharactersPerTurn;
  }

  text(json: string | undefined): void {
    if (this.#isLast) return;
    if (json === undefined) this.#isLast = true;
    else this.#waiting.push(new JsonMessages(this.#codec, json));
    this.#pump();
  }

  end(): void {
    this.#isLast = true;
    this.#pump();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#pump();
  }

  /** A message may pause or resume the feed, or end the call, while it is handled. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    let charactersLeft = this.#charactersPerTurn;
    for (let left = this.#messagesPerTurn; this.#isOpen && !this.#paused; left--) {
      if (left === 0 || charactersLeft <= 0) {
        this.#defer(() => this.#pumpOn());
        return;
      }
      const characters = this.#feedOne();
      if (characters === nothing) break;
      charactersLeft -= characters;
    }
    this.#pumping = false;
  }

  #pumpOn(): void {
    this.#pumping = false;
    this.#pump();
  }

  get #isOpen(): boolean {
    return !this.#closed && !this.#target.ended;
  }

  /** Characters read; `nothing` if there is nothing to feed for now. */
  #feedOne(): number {
    const messages = this.#waiting[0];
    if (messages === undefined) {
      if (this.#isLast) this.#close();
      return nothing;
    }
    const before = messages.position;
    const next = readNext(messages);
    if (next instanceof JsonError) {
      // As in etcd: what comes before it counts, and the rest of the input is as if it were not there.
      this.#isLast = true;
      this.#waiting.length = 0;
    } else if (next === undefined) this.#waiting.shift();
    else this.#target.message(this.#codec.encode(next));
    return messages.position - before;
  }

  #close(): void {
    this.#closed = true;
    this.#target.halfClose();
  }
}

/** The next message, undefined behind the last. */
function readNext(messages: JsonMessages<unknown>): unknown {
  try {
    return messages.next();
  } catch (error) {
    if (error instanceof JsonError) return error;
    throw error;
  }
}
