// The Watch service through grpc-js: creating, cancelling, history, order, progress, fragments (rules WATCH-n).

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { status } from "@grpc/grpc-js";
import { bytes, prefixEnd, revisionOf } from "../client/etcd-client.js";
import type { WatchCreateRequest, WatchRequest, WatchResponse } from "../client/messages.js";
import type { MessageStream } from "../client/stream.js";
import { freshName, skipWithout, useServer } from "../fixture.js";

type WatchStream = MessageStream<WatchRequest, WatchResponse>;

const compacted = "etcdserver: mvcc: required revision has been compacted";

/** Events as short texts: `PUT key=value` and `DELETE key`. */
function eventTexts(response: WatchResponse): readonly string[] {
  return response.events.map(({ type, kv }) => (type === "PUT" ? `PUT ${kv.key}=${kv.value}` : `DELETE ${kv.key}`));
}

/** Creates a watcher and returns the server's answer to that. */
async function create(stream: WatchStream, request: WatchCreateRequest): Promise<WatchResponse> {
  stream.send({ create_request: request });
  return stream.nextWhere((response) => response.created);
}

/** A create request for everything under the prefix. */
function under(prefix: string, more: Omit<WatchCreateRequest, "key" | "range_end"> = {}): WatchCreateRequest {
  return { key: bytes(prefix), range_end: prefixEnd(prefix), ...more };
}

describe("Watch service", { skip: skipWithout() }, () => {
  const fixture = useServer();

  /** Runs with a watch stream of its own, cancelled afterwards. */
  async function withStream(use: (stream: WatchStream) => Promise<void>): Promise<void> {
    const stream = fixture.client.watchStream();
    try {
      await use(stream);
    } finally {
      stream.cancel();
    }
  }

  /** Writes v1 … vN to one key; returns the revisions. */
  async function history(key: string, count: number): Promise<readonly number[]> {
    const revisions: number[] = [];
    for (let n = 1; n <= count; n += 1) {
      revisions.push(revisionOf(await fixture.client.put(key, `v${n}`)));
    }
    return revisions;
  }

  test("WATCH-1, WATCH-2: many watchers share a stream; ids are chosen from 0 upward", () =>
    withStream(async (stream) => {
      for (const id of ["0", "1", "2"]) {
        const created = await create(stream, { key: bytes(freshName("ids")) });
        assert.equal(created.watch_id, id);
        assert.equal(created.canceled, false);
      }
    }));

  test("WATCH-2: chosen ids are skipped when the server chooses", () =>
    withStream(async (stream) => {
      assert.equal((await create(stream, { key: bytes("a"), watch_id: 1 })).watch_id, "1");
      assert.equal((await create(stream, { key: bytes("a") })).watch_id, "0");
      assert.equal((await create(stream, { key: bytes("a") })).watch_id, "2");
    }));

  test("WATCH-3: a negative id is used as given; a duplicate is refused and the first watcher goes on", () =>
    withStream(async (stream) => {
      const key = freshName("duplicate");
      assert.equal((await create(stream, { key: bytes(key), watch_id: -7 })).watch_id, "-7");
      const refused = await create(stream, { key: bytes(key), watch_id: -7 });
      assert.equal(refused.canceled, true);
      assert.equal(refused.watch_id, "-1");
      assert.equal(refused.cancel_reason, "mvcc: duplicate watch ID provided on the WatchStream");
      await fixture.client.put(key, "x");
      assert.deepEqual(eventTexts(await stream.next()), [`PUT ${key}=x`]);
    }));

  test("WATCH-4: an empty range is refused", () =>
    withStream(async (stream) => {
      const refused = await create(stream, { key: bytes("b"), range_end: bytes("a") });
      assert.deepEqual([refused.canceled, refused.watch_id], [true, "-1"]);
      assert.equal(refused.cancel_reason, "mvcc: watcher range is empty");
    }));

  test("WATCH-5: the created answer carries the present revision and a full header", () =>
    withStream(async (stream) => {
      const put = await fixture.client.put(freshName("before"), "x");
      const created = await create(stream, { key: bytes("a") });
      assert.deepEqual(created.header, put.header);
    }));

  test("WATCH-6: an empty key with an open end watches everything", () =>
    withStream(async (stream) => {
      await create(stream, { range_end: Buffer.from([0]) });
      const key = freshName("everything");
      await fixture.client.put(key, "x");
      assert.deepEqual(eventTexts(await stream.next()), [`PUT ${key}=x`]);
    }));

  test("WATCH-7: a start revision in the future waits, and nothing below it is sent", () =>
    withStream(async (stream) => {
      const key = freshName("future");
      const start = (await fixture.client.revision()) + 3;
      await create(stream, { key: bytes(key), start_revision: start });
      const revisions = await history(key, 4);
      assert.equal(revisions[2], start);
      assert.deepEqual(eventTexts(await stream.next()), [`PUT ${key}=v3`]);
      assert.deepEqual(eventTexts(await stream.next()), [`PUT ${key}=v4`]);
    }));

  test("WATCH-8: history from the start revision, then live events, without gap or repeat", () =>
    withStream(async (stream) => {
      const key = freshName("history");
      const revisions = await history(key, 5);
      await create(stream, { key: bytes(key), start_revision: revisions[1] ?? 0 });
      await fixture.client.put(key, "live");
      const seen: string[] = [];
      while (seen.length < 5) {
        seen.push(...eventTexts(await stream.next()));
      }
      assert.deepEqual(
        seen,
        ["v2", "v3", "v4", "v5", "live"].map((value) => `PUT ${key}=${value}`),
      );
    }));

  test("WATCH-9: a negative start revision is refused", () =>
    withStream(async (stream) => {
      const refused = await create(stream, { key: bytes("a"), start_revision: -1 });
      assert.deepEqual([refused.canceled, refused.watch_id, refused.cancel_reason], [true, "-1", compacted]);
    }));

  test("WATCH-13: a cancelled watcher is acknowledged, sends nothing more, and frees its id", () =>
    withStream(async (stream) => {
      const key = freshName("cancel");
      await create(stream, { key: bytes(key), watch_id: 5 });
      stream.send({ cancel_request: { watch_id: 5 } });
      const answer = await stream.next();
      assert.deepEqual([answer.canceled, answer.watch_id, answer.cancel_reason], [true, "5", ""]);
      assert.equal(answer.compact_revision, "0");
      await fixture.client.put(key, "unseen");
      assert.equal((await create(stream, { key: bytes(key), watch_id: 5 })).canceled, false);
      await fixture.client.put(key, "seen");
      assert.deepEqual(eventTexts(await stream.next()), [`PUT ${key}=seen`]);
    }));

  test("WATCH-14, WATCH-15: cancelling an unknown id and an empty request are ignored", () =>
    withStream(async (stream) => {
      stream.send({ cancel_request: { watch_id: 99 } });
      stream.send({});
      stream.send({ create_request: { key: bytes("a") } });
      assert.equal((await stream.next()).created, true);
    }));

  test("WATCH-16: closing the sending side does not end the watch", () =>
    withStream(async (stream) => {
      const key = freshName("half-closed");
      await create(stream, { key: bytes(key) });
      stream.halfClose();
      await fixture.client.put(key, "x");
      assert.deepEqual(eventTexts(await stream.next()), [`PUT ${key}=x`]);
    }));

  test("WATCH-18: PUT carries the key-value, DELETE only key and revision", () =>
    withStream(async (stream) => {
      const key = freshName("events");
      await create(stream, { key: bytes(key) });
      const lease = await fixture.client.grant(60);
      const put = await fixture.client.put(key, "x", { lease });
      const created = (await stream.next()).events[0];
      assert.equal(created?.kv.create_revision, put.header?.revision);
      assert.equal(created?.kv.mod_revision, put.header?.revision);
      assert.deepEqual([created?.kv.version, created?.kv.lease], ["1", lease]);
      const deleted = await fixture.client.delete(key);
      const event = (await stream.next()).events[0];
      assert.equal(event?.type, "DELETE");
      assert.deepEqual(event?.kv, {
        key: bytes(key),
        create_revision: "0",
        mod_revision: deleted.header?.revision,
        version: "0",
        value: Buffer.alloc(0),
        lease: "0",
      });
    }));

  test("WATCH-19, WATCH-20: one answer for all events of a revision, in execution order, with that revision", () =>
    withStream(async (stream) => {
      const prefix = `${freshName("txn")}/`;
      await fixture.client.put(`${prefix}c`, "old");
      await create(stream, under(prefix));
      const txn = await fixture.client.txn({
        success: [
          { request_put: { key: bytes(`${prefix}b`), value: bytes("1") } },
          { request_delete_range: { key: bytes(`${prefix}c`) } },
          { request_put: { key: bytes(`${prefix}a`), value: bytes("2") } },
        ],
      });
      const response = await stream.next();
      assert.deepEqual(eventTexts(response), [`PUT ${prefix}b=1`, `DELETE ${prefix}c`, `PUT ${prefix}a=2`]);
      assert.equal(response.header?.revision, txn.header?.revision);
    }));

  test("WATCH-21: the events of two watchers on one key carry their own ids", () =>
    withStream(async (stream) => {
      const key = freshName("two");
      await create(stream, { key: bytes(key), watch_id: 11 });
      await create(stream, { key: bytes(key), watch_id: 12 });
      await fixture.client.put(key, "x");
      const ids = [(await stream.next()).watch_id, (await stream.next()).watch_id].sort();
      assert.deepEqual(ids, ["11", "12"]);
    }));

  test("WATCH-22, WATCH-24: a compacted start is confirmed, then cancelled with the compaction revision", () =>
    withStream(async (stream) => {
      const key = freshName("compacted");
      const revisions = await history(key, 3);
      const compactRevision = revisions[2] ?? 0;
      await fixture.client.call("etcdserverpb.KV/Compact", { revision: compactRevision });
      const request = { key: bytes(key), start_revision: revisions[0] ?? 0, watch_id: 3 };
      assert.equal((await create(stream, request)).canceled, false);
      const ended = await stream.next();
      assert.deepEqual([ended.canceled, ended.watch_id, ended.cancel_reason], [true, "3", ""]);
      assert.equal(ended.compact_revision, String(compactRevision));
      assert.equal(revisionOf(ended), 0);
      // The id stays in use until the client cancels it.
      assert.equal((await create(stream, request)).watch_id, "-1");
      stream.send({ cancel_request: { watch_id: 3 } });
      assert.deepEqual((await stream.next()).canceled, true);
      assert.equal((await create(stream, { ...request, start_revision: compactRevision })).watch_id, "3");
      assert.deepEqual(eventTexts(await stream.next()), [`PUT ${key}=v3`]);
    }));

  test("WATCH-25: prev_kv is the value before, for changes and deletions, not for creations", () =>
    withStream(async (stream) => {
      const key = freshName("previous");
      await create(stream, { key: bytes(key), prev_kv: true });
      await fixture.client.put(key, "one");
      assert.equal((await stream.next()).events[0]?.prev_kv, null);
      await fixture.client.put(key, "two");
      assert.equal((await stream.next()).events[0]?.prev_kv?.value.toString(), "one");
      await fixture.client.delete(key);
      assert.equal((await stream.next()).events[0]?.prev_kv?.value.toString(), "two");
    }));

  test("WATCH-26: filters drop PUTs or DELETEs", () =>
    withStream(async (stream) => {
      const key = freshName("filters");
      await create(stream, { key: bytes(key), watch_id: 1, filters: ["NOPUT"] });
      await create(stream, { key: bytes(key), watch_id: 2, filters: ["NODELETE"] });
      await fixture.client.put(key, "x");
      const put = await stream.next();
      assert.deepEqual([put.watch_id, eventTexts(put)], ["2", [`PUT ${key}=x`]]);
      await fixture.client.delete(key);
      const deleted = await stream.next();
      assert.deepEqual([deleted.watch_id, eventTexts(deleted)], ["1", [`DELETE ${key}`]]);
    }));

  test("WATCH-27: fragment=true cuts a large answer; without it the answer is whole", () =>
    withStream(async (stream) => {
      const prefix = `${freshName("fragment")}/`;
      const keys = ["a", "b", "c", "d"].map((letter) => `${prefix}${letter}`);
      const value = "x".repeat(1024 * 1024);
      const lease = await fixture.client.grant(60);
      for (const key of keys) {
        await fixture.client.put(key, value, { lease });
      }
      await create(stream, under(prefix, { watch_id: 1, fragment: true, prev_kv: true }));
      await fixture.client.revoke(lease);
      const parts = [await stream.next()];
      while (parts.at(-1)?.fragment) {
        parts.push(await stream.next());
      }
      assert.ok(parts.length > 1, `${parts.length} parts`);
      assert.equal(new Set(parts.map((part) => `${part.watch_id} ${part.header?.revision}`)).size, 1);
      assert.deepEqual(
        parts.flatMap(eventTexts),
        keys.map((key) => `DELETE ${key}`),
      );
      await create(stream, under(prefix, { watch_id: 2, prev_kv: true, start_revision: revisionOf(parts[0]!) }));
      const whole = await stream.next();
      assert.deepEqual([whole.fragment, whole.events.length], [false, 4]);
    }));

  test("WATCH-28, LEASE-11: revoking a lease deletes its keys in one revision, in key order", () =>
    withStream(async (stream) => {
      const prefix = `${freshName("lease")}/`;
      const lease = await fixture.client.grant(60);
      for (const letter of ["c", "a", "b"]) {
        await fixture.client.put(prefix + letter, "x", { lease });
      }
      await create(stream, under(prefix));
      const revoked = await fixture.client.revoke(lease);
      const response = await stream.next();
      assert.deepEqual(
        eventTexts(response),
        ["a", "b", "c"].map((letter) => `DELETE ${prefix}${letter}`),
      );
      assert.equal(response.header?.revision, revoked.header?.revision);
    }));

  test("WATCH-31, WATCH-32: a progress request is answered when every watcher has caught up", () =>
    withStream(async (stream) => {
      const key = freshName("progress");
      await create(stream, { key: bytes(key) });
      const put = await fixture.client.put(key, "x");
      assert.equal((await stream.next()).events.length, 1);
      // Silence means "not caught up": a client asks again. The tick is the client's, as in kube-apiserver (K8S-9).
      const asking = setInterval(() => stream.send({ progress_request: {} }), 20);
      const progress = await stream.next();
      clearInterval(asking);
      assert.deepEqual([progress.watch_id, progress.events.length], ["-1", 0]);
      assert.ok(revisionOf(progress) >= revisionOf(put));
    }));

  test("WATCH-31: no progress answer while a watcher starts in the future, or where there is no watcher", () =>
    withStream(async (stream) => {
      stream.send({ progress_request: {} });
      const key = freshName("no-progress");
      await create(stream, { key: bytes(key), start_revision: (await fixture.client.revision()) + 2 });
      stream.send({ progress_request: {} });
      await fixture.client.put(key, "too early");
      await fixture.client.put(key, "x");
      assert.deepEqual(eventTexts(await stream.next()), [`PUT ${key}=x`]);
    }));

  test("WATCH-34: a watcher is created, and live, while another one reads history", () =>
    withStream(async (stream) => {
      const old = freshName("old");
      const revisions = await history(old, 200);
      const live = freshName("live");
      stream.send({ create_request: { key: bytes(old), start_revision: revisions[0] ?? 0, watch_id: 1 } });
      stream.send({ create_request: { key: bytes(live), watch_id: 2 } });
      await stream.nextWhere((response) => response.created && response.watch_id === "2");
      await fixture.client.put(live, "x");
      await stream.nextWhere((response) => response.watch_id === "2" && response.events.length === 1);
    }));

  test("WATCH-17: cancelling the stream ends it with CANCELLED", async () => {
    const stream = fixture.client.watchStream();
    await create(stream, { key: bytes("a") });
    stream.cancel();
    assert.equal((await stream.status).code, status.CANCELLED);
  });

  test("I8: events of a busy prefix arrive complete and in order on twenty watchers", async () => {
    const prefix = `${freshName("busy")}/`;
    const streams = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const stream = fixture.newClient().watchStream();
        await create(stream, under(prefix));
        return stream;
      }),
    );
    const writes = 200;
    await Promise.all(Array.from({ length: writes }, (_, n) => fixture.client.put(`${prefix}${n % 10}`, `${n}`)));
    for (const stream of streams) {
      const revisions: number[] = [];
      while (revisions.length < writes) {
        revisions.push(...(await stream.next()).events.map((event) => Number(event.kv.mod_revision)));
      }
      assert.deepEqual(
        revisions,
        [...revisions].sort((a, b) => a - b),
      );
      assert.equal(new Set(revisions).size, writes);
      stream.cancel();
    }
  });
});
