/** A listener of our client that keeps what a call brings. */
import type { CallEnd, CallListener } from "../grpc/client-call.js";
import type { Metadata } from "../grpc/types.js";

/** Collects what a call brings. */
export class Collector implements CallListener {
  readonly messages: Buffer[] = [];
  readonly ended: Promise<CallEnd>;
  bytes = 0;
  headersSeen: Metadata | undefined;
  #resolve: (end: CallEnd) => void = () => {};
  #onMessage: () => void = () => {};

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  headers(seen: Metadata): void {
    this.headersSeen = seen;
  }

  message(bytes: Uint8Array): void {
    this.messages.push(Buffer.from(bytes));
    this.bytes += bytes.length;
    this.#onMessage();
  }

  end(end: CallEnd): void {
    this.#resolve(end);
  }

  async until(count: number): Promise<void> {
    while (this.messages.length < count) {
      await new Promise<void>((resolve) => {
        this.#onMessage = resolve;
      });
    }
  }
}
