// The observer of the kill loop: it watches everything, and what it once saw must still be true after a restart.

import assert from "node:assert/strict";
import { bytes, type EtcdClient, revisionOf } from "../client/etcd-client.js";
import type { KeyValue, WatchEvent, WatchRequest, WatchResponse } from "../client/messages.js";
import type { MessageStream } from "../client/stream.js";
import type { Ledger } from "./ledger.js";
import type { Writer } from "./writers.js";

/** Watches the whole keyspace; no event may be seen twice, out of order, or be undone by a crash (I1, I8). */
export class Observer implements Writer {
  readonly #ledger: Ledger;
  readonly #last = new Map<string, WatchEvent>();
  readonly #seen: WatchEvent[] = [];
  #nextRevision = 1;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Events seen in all. */
  get seen(): number {
    return this.#seen.length;
  }

  async work(client: EtcdClient): Promise<void> {
    const stream = watchEverything(client, this.#nextRevision);
    for (;;) {
      // The stream ends with the server; that end is what the loop waits for.
      const response = await stream.next().catch(() => undefined);
      if (response === undefined) {
        return;
      }
      assert.equal(response.canceled, false, response.cancel_reason);
      for (const event of response.events) {
        this.#note(event);
      }
      this.#ledger.observe(revisionOf(response));
      const last = response.events.at(-1);
      this.#nextRevision = last === undefined ? this.#nextRevision : Number(last.kv.mod_revision) + 1;
    }
  }

  async verify(client: EtcdClient): Promise<void> {
    const { kvs } = await client.range("\0", { range_end: bytes("\0") });
    const present = new Map<string, KeyValue>(kvs.map((kv) => [kv.key.toString(), kv]));
    for (const [key, event] of this.#last) {
      const kv = present.get(key);
      if (event.type === "PUT" && kv !== undefined) {
        assert.ok(Number(kv.mod_revision) >= Number(event.kv.mod_revision), `${key}: an event was undone`);
        if (kv.mod_revision === event.kv.mod_revision) {
          assert.deepEqual(kv, event.kv, `${key}: another value at the same revision`);
        }
      }
    }
  }

  /** Reads the whole history again: it must begin with exactly the events that were seen, each once, in that order. */
  async replay(client: EtcdClient): Promise<void> {
    const stream = watchEverything(client, 1);
    const history: WatchEvent[] = [];
    while (history.length < this.#seen.length) {
      history.push(...(await stream.next()).events);
    }
    stream.cancel();
    for (const [index, event] of this.#seen.entries()) {
      assert.deepEqual(history[index], event, `event ${index} of the history`);
    }
  }

  #note(event: WatchEvent): void {
    const key = event.kv.key.toString();
    const revision = Number(event.kv.mod_revision);
    assert.ok(revision >= this.#nextRevision, `${key}: event ${revision} after ${this.#nextRevision - 1}`);
    this.#last.set(key, event);
    this.#seen.push(event);
  }
}

/** A stream with one watcher, on every key, from this revision on. */
function watchEverything(client: EtcdClient, start_revision: number): MessageStream<WatchRequest, WatchResponse> {
  const stream = client.watchStream();
  stream.send({ create_request: { key: bytes("\0"), range_end: bytes("\0"), start_revision } });
  return stream;
}
