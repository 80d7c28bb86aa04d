// One streaming call as a script reads it: messages are awaited and thereby recorded, one by one.

import { Answer, brief, type Demand, type Expectation, matches, Reply } from "./answer.js";
import { envelope, type GrpcCall } from "./grpc-call.js";
import { TypedMessage } from "./masks.js";
import { recordMetadata, type Slot } from "./recorder.js";
import type { RunContext } from "./run-context.js";
import { decodeMessage, type Message, type Method, messageBytes, type Request } from "./wire.js";

/** What a stream is made from. */
export interface StreamParts {
  readonly call: GrpcCall;
  readonly method: Method;
  readonly slot: Slot;
  readonly name: string;
  readonly demand: Demand;
  readonly overTls: boolean;
}

/** A streaming call. Only what the script took is compared: end with `end()`, or with an event that comes last. */
export class MessageStream {
  readonly #run: RunContext;
  readonly #call: GrpcCall;
  readonly #method: Method;
  readonly #slot: Slot;
  readonly #name: string;
  readonly #demand: Demand;
  readonly #overTls: boolean;
  /** Events that came in one response with those a script asked for. */
  readonly #events: Message[] = [];

  constructor(run: RunContext, { call, method, slot, name, demand, overTls }: StreamParts) {
    this.#run = run;
    this.#call = call;
    this.#method = method;
    this.#slot = slot;
    this.#name = name;
    this.#demand = demand;
    this.#overTls = overTls;
  }

  /** Sends a request; bytes are sent as the message they are (or are not). */
  send(request: Request | Uint8Array): void {
    this.#call.write(envelope(messageBytes(this.#method, request)));
  }

  /** Sends bytes as they are, without an envelope. */
  sendRaw(bytes: Uint8Array): void {
    this.#call.write(bytes);
  }

  /** Closes the sending side; the server may go on answering. */
  halfClose(): void {
    this.#call.halfClose();
  }

  /** Stops reading, so that the server may send no more than HTTP/2 lets it (64 KiB) until `resume`. */
  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  /** Resolves when the server has sent the head of its answer, or ended the call. */
  async started(): Promise<void> {
    await this.#run.waitFor(`the head of ${this.#name}`, this.#call.headers);
  }

  /** Gives the call up. */
  cancel(): void {
    this.#call.cancel();
  }

  /** The next message; throws when the stream ends first. */
  async next(): Promise<Reply> {
    const message = await this.#take();
    this.#record(message);
    return this.#reply(message);
  }

  /** The next so many messages. */
  async take(count: number): Promise<readonly Reply[]> {
    const replies: Reply[] = [];
    while (replies.length < count) {
      replies.push(await this.next());
    }
    return replies;
  }

  /** The next message that looks like this. Those before it are dropped and not compared: for timing only. */
  async until(expected: Expectation): Promise<Reply> {
    for (;;) {
      const message = await this.#take();
      if (matches(message, expected)) {
        this.#record(message);
        return this.#reply(message);
      }
    }
  }

  /**
   * The next so many events of a watch, however the server spread them over responses; only the events are compared.
   * For everything whose grouping depends on timing; where grouping is the point, use `next`.
   */
  async events(count: number): Promise<readonly Message[]> {
    while (this.#events.length < count) {
      await this.#takeEvents();
    }
    return this.#recordEvents(count);
  }

  /** The events of a watch up to and including the first of this key, compared as those of `events` are. */
  async eventsUntil(key: string): Promise<readonly Message[]> {
    for (;;) {
      const index = keysOf(this.#events).indexOf(key);
      if (index >= 0) {
        return this.#recordEvents(index + 1);
      }
      await this.#takeEvents();
    }
  }

  async #takeEvents(): Promise<void> {
    const { events } = await this.#take();
    this.#events.push(...((events ?? []) as readonly Message[]));
  }

  #recordEvents(count: number): readonly Message[] {
    const taken = this.#events.splice(0, count);
    const type = this.#method.response.lookupType("mvccpb.Event");
    for (const event of taken) {
      this.#slot.push("events", new TypedMessage(type, event));
    }
    return taken;
  }

  /** The end of the stream, with every message before it, which are recorded too. */
  async end(): Promise<Answer> {
    for (let message = await this.#next(); message !== undefined; message = await this.#next()) {
      this.#record(message);
    }
    const ending = await this.#call.ending;
    const { status, message: details } = ending;
    this.#slot.set("status", status);
    this.#slot.set("message", details);
    recordMetadata(this.#slot, await this.#call.headers, ending, this.#overTls);
    return new Answer(status, details, status === "OK" ? {} : undefined, this.#demand);
  }

  async #take(): Promise<Message> {
    const message = await this.#next();
    if (message === undefined) {
      const { status, message: details } = await this.#call.ending;
      this.#slot.set("status", status);
      this.#slot.set("message", details);
      throw new Error(`${this.#name} ended (${status} ${details}) while a message was awaited`);
    }
    return message;
  }

  async #next(): Promise<Message | undefined> {
    const bytes = await this.#run.waitFor(`a message of ${this.#name}`, this.#call.next());
    return bytes === undefined ? undefined : decodeMessage(this.#method.response, bytes);
  }

  #record(message: Message): void {
    this.#slot.push("messages", new TypedMessage(this.#method.response, message));
  }

  #reply(message: Message): Reply {
    return new Reply(message, this.#demand);
  }
}

/** The keys of events or key-values, for a script's own checks. */
export function keysOf(items: readonly Message[]): readonly string[] {
  return items.map((item) => {
    const kv = (item.kv ?? item) as Message;
    if (typeof kv.key !== "string") {
      throw new Error(`there is no key in ${brief(item)}`);
    }
    return kv.key;
  });
}
