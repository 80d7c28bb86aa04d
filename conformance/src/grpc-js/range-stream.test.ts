// KV.RangeStream through grpc-js: pieces, pinning, limits and what it refuses (rules KV-14 to KV-19).

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { status } from "@grpc/grpc-js";
import { bytes, prefixEnd, revisionOf } from "../client/etcd-client.js";
import type { RangeRequest, RangeResponse } from "../client/messages.js";
import { freshName, keyTexts, skipWithout, useServer } from "../fixture.js";

describe("RangeStream", { skip: skipWithout() }, () => {
  const fixture = useServer();

  const open = (prefix: string, more: Omit<RangeRequest, "key" | "range_end"> = {}) =>
    fixture.client.serverStream("etcdserverpb.KV/RangeStream", {
      key: bytes(prefix),
      range_end: prefixEnd(prefix),
      ...more,
    });

  /** All pieces of one stream that ends well. */
  async function pieces(prefix: string, more: Omit<RangeRequest, "key" | "range_end"> = {}) {
    const { messages, status: final } = await open(prefix, more).collect();
    assert.equal(final.code, status.OK, final.details);
    return messages.map(({ range_response }) => {
      assert.ok(range_response !== null);
      return range_response;
    });
  }

  /** A prefix with this many keys, k000 … */
  async function filled(count: number, value = "x"): Promise<string> {
    const prefix = `${freshName("stream")}/`;
    await Promise.all(
      Array.from({ length: count }, (_, n) => fixture.client.put(`${prefix}k${String(n).padStart(3, "0")}`, value)),
    );
    return prefix;
  }

  /** The answer Range would have given, put together from the pieces. */
  function merged(parts: readonly RangeResponse[]): RangeResponse {
    const last = parts.at(-1);
    assert.ok(last !== undefined);
    return { ...last, kvs: parts.flatMap((part) => part.kvs) };
  }

  test("KV-14: the pieces put together are the answer of Range; header, more and count come last", async () => {
    const prefix = await filled(100);
    const parts = await pieces(prefix);
    assert.ok(parts.length > 1, `${parts.length} pieces`);
    for (const part of parts.slice(0, -1)) {
      assert.deepEqual([part.header, part.more, part.count], [null, false, "0"]);
    }
    assert.deepEqual(merged(parts), await fixture.client.prefix(prefix));
  });

  test("KV-15: without a revision the whole stream reads the state at its start", async () => {
    const prefix = await filled(50);
    const before = await fixture.client.revision();
    const stream = open(prefix);
    const first = await stream.next();
    await fixture.client.put(`${prefix}zzz`, "later");
    const { messages } = await stream.collect();
    const parts = [first, ...messages].map(({ range_response }) => range_response!);
    assert.equal(merged(parts).kvs.length, 50);
    assert.equal(revisionOf(merged(parts)), before);
  });

  test("KV-16: the first piece has at most ten keys", async () => {
    const parts = await pieces(await filled(100));
    assert.ok((parts[0]?.kvs.length ?? 0) <= 10);
  });

  test("KV-16: a value near the request limit goes out alone", async () => {
    const parts = await pieces(await filled(4, "x".repeat(1_400_000)));
    assert.equal(merged(parts).kvs.length, 4);
    assert.equal(merged(parts).kvs[0]?.value.length, 1_400_000);
  });

  test("KV-17: limit caps the total; more and count tell of the rest", async () => {
    const prefix = await filled(40);
    const answer = merged(await pieces(prefix, { limit: 25 }));
    assert.deepEqual([answer.kvs.length, answer.more, answer.count], [25, true, "40"]);
    const all = merged(await pieces(prefix, { limit: 40 }));
    assert.deepEqual([all.kvs.length, all.more, all.count], [40, false, "40"]);
  });

  test("KV-18: count_only, keys_only and an explicit revision", async () => {
    const prefix = await filled(30);
    const revision = await fixture.client.revision();
    await fixture.client.delete(`${prefix}k000`);
    const counted = await pieces(prefix, { count_only: true });
    assert.deepEqual([counted.length, counted[0]?.count, counted[0]?.kvs.length], [1, "29", 0]);
    assert.equal(revisionOf(counted[0]!), revision + 1);
    const keys = merged(await pieces(prefix, { keys_only: true }));
    assert.deepEqual([keys.kvs.length, keys.kvs[0]?.value.length], [29, 0]);
    const old = merged(await pieces(prefix, { revision }));
    assert.equal(keyTexts(old.kvs)[0], `${prefix}k000`);
  });

  test("KV-14: nothing found is one piece with header and count", async () => {
    const parts = await pieces(`${freshName("nothing")}/`);
    assert.equal(parts.length, 1);
    assert.deepEqual([parts[0]?.count, parts[0]?.kvs.length], ["0", 0]);
    assert.ok(revisionOf(parts[0]!) > 0);
  });

  const customSort = "RangeStream does not support custom sort orders";
  const revisionFilters = "RangeStream does not support revision filters";
  for (const [request, words] of [
    [{ sort_order: "DESCEND", sort_target: "KEY" }, customSort],
    [{ sort_order: "ASCEND", sort_target: "MOD" }, customSort],
    [{ min_mod_revision: 1 }, revisionFilters],
    [{ max_mod_revision: 1 }, revisionFilters],
    [{ min_create_revision: 1 }, revisionFilters],
    [{ max_create_revision: 1 }, revisionFilters],
  ] as const) {
    test(`KV-19: ${JSON.stringify(request)} is refused`, async () => {
      const { status: final } = await open("a", request).collect();
      assert.deepEqual([final.code, final.details], [status.UNIMPLEMENTED, words]);
    });
  }

  test("KV-19: sorting by KEY ascending is what it does anyway", async () => {
    const prefix = await filled(20);
    const answer = merged(await pieces(prefix, { sort_order: "ASCEND", sort_target: "KEY" }));
    assert.deepEqual(answer.kvs, (await fixture.client.prefix(prefix)).kvs);
  });

  test("KV-12, KV-3: a future revision and an empty key are refused", async () => {
    const revision = (await fixture.client.revision()) + 1;
    const late = await open("a", { revision }).collect();
    assert.deepEqual(
      [late.status.code, late.status.details],
      [status.OUT_OF_RANGE, "etcdserver: mvcc: required revision is a future revision"],
    );
    const empty = await fixture.client.serverStream("etcdserverpb.KV/RangeStream", { key: Buffer.alloc(0) }).status;
    assert.deepEqual([empty.code, empty.details], [status.INVALID_ARGUMENT, "etcdserver: key is not provided"]);
  });

  test("KV-14: cancelling midway ends the stream with CANCELLED", async () => {
    const stream = open(await filled(4, "x".repeat(1_000_000)));
    await stream.next();
    stream.cancel();
    assert.equal((await stream.status).code, status.CANCELLED);
  });
});
