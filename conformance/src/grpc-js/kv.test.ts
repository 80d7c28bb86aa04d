// The KV service through grpc-js: ranges, puts, deletes, transactions, compaction (rules KV-n, TXN-n, COMP-n, GEN-n).
//
// A sample of every rule family, to prove that a foreign client and the server agree; the exhaustive comparison with
// etcd is another suite's work.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { status } from "@grpc/grpc-js";
import { bytes, prefixEnd, revisionOf } from "../client/etcd-client.js";
import type { Compare, RangeRequest, RequestOp } from "../client/messages.js";
import { freshName, keyTexts, refused, skipWithout, useServer } from "../fixture.js";

const emptyKey = "etcdserver: key is not provided";
const compacted = "etcdserver: mvcc: required revision has been compacted";
const future = "etcdserver: mvcc: required revision is a future revision";
const duplicate = "etcdserver: duplicate key given in txn request";
const everything = Buffer.from([0]);

describe("KV service", { skip: skipWithout() }, () => {
  const fixture = useServer();

  const put = (key: string, value = "x"): RequestOp => ({ request_put: { key: bytes(key), value: bytes(value) } });
  const remove = (key: string): RequestOp => ({ request_delete_range: { key: bytes(key) } });
  const read = (key: string): RequestOp => ({ request_range: { key: bytes(key) } });

  /** A prefix holding a=1, b=2, c=3, written in that order. */
  async function abc(): Promise<string> {
    const prefix = `${freshName("abc")}/`;
    for (const [key, value] of Object.entries({ a: "1", b: "2", c: "3" })) {
      await fixture.client.put(prefix + key, value);
    }
    return prefix;
  }

  /** The last letters of the keys under the prefix, as the server orders them. */
  async function letters(prefix: string, more: Omit<RangeRequest, "key" | "range_end">): Promise<string> {
    const { kvs } = await fixture.client.prefix(prefix, more);
    return keyTexts(kvs)
      .map((key) => key.at(-1))
      .join("");
  }

  test("GEN-1: the first write of a fresh store makes revision 2", async () => {
    assert.equal(await fixture.client.revision(), 1);
    assert.equal(revisionOf(await fixture.client.put(freshName("first"), "x")), 2);
  });

  test("GEN-2: the header tells the present revision, also when an old one is read", async () => {
    const key = freshName("old");
    const first = revisionOf(await fixture.client.put(key, "one"));
    const second = revisionOf(await fixture.client.put(key, "two"));
    const old = await fixture.client.range(key, { revision: first });
    assert.deepEqual([old.kvs[0]?.value.toString(), revisionOf(old)], ["one", second]);
  });

  test("KV-1: a half-open interval, an open end, a single key", async () => {
    const prefix = await abc();
    const range = (key: string, range_end?: Buffer) =>
      fixture.client.range(prefix + key, range_end === undefined ? {} : { range_end });
    assert.equal((await range("a", bytes(`${prefix}c`))).count, "2");
    assert.equal((await range("b")).count, "1");
    const fromKey = await range("b", everything);
    assert.deepEqual(keyTexts(fromKey.kvs).slice(0, 2), [`${prefix}b`, `${prefix}c`]);
  });

  test("KV-2: an empty interval is OK and finds nothing", async () => {
    const answer = await fixture.client.range("b", { range_end: bytes("a") });
    assert.deepEqual([answer.count, answer.kvs.length], ["0", 0]);
  });

  test("KV-3: an empty key is refused everywhere", async () => {
    const key = Buffer.alloc(0);
    const refusals = [
      fixture.client.call("etcdserverpb.KV/Range", { key }),
      fixture.client.call("etcdserverpb.KV/Put", { key }),
      fixture.client.call("etcdserverpb.KV/DeleteRange", { key }),
      fixture.client.txn({ compare: [{ key }] }),
      fixture.client.txn({ failure: [{ request_range: { key } }] }),
    ];
    for (const call of refusals) {
      await refused(call, status.INVALID_ARGUMENT, emptyKey);
    }
  });

  test("KV-5: limit, more and count", async () => {
    const prefix = await abc();
    const two = await fixture.client.prefix(prefix, { limit: 2 });
    assert.deepEqual([two.kvs.length, two.more, two.count], [2, true, "3"]);
    const three = await fixture.client.prefix(prefix, { limit: 3 });
    assert.deepEqual([three.kvs.length, three.more, three.count], [3, false, "3"]);
    assert.equal((await fixture.client.prefix(prefix, { limit: -1 })).kvs.length, 3);
  });

  test("KV-6: count_only answers with the count alone", async () => {
    const answer = await fixture.client.prefix(await abc(), { count_only: true, limit: 1 });
    assert.deepEqual([answer.kvs.length, answer.count, answer.more], [0, "3", false]);
  });

  test("KV-7: keys_only leaves out value and lease, unless sorted by value", async () => {
    const key = freshName("keys-only");
    const lease = await fixture.client.grant(60);
    await fixture.client.put(key, "value", { lease });
    const plain = (await fixture.client.range(key, { keys_only: true })).kvs[0];
    assert.deepEqual([plain?.value.length, plain?.lease, plain?.version], [0, "0", "1"]);
    const request = { keys_only: true, sort_target: "VALUE", sort_order: "ASCEND" } as const;
    const sorted = (await fixture.client.range(key, request)).kvs[0];
    assert.deepEqual([sorted?.value.length, sorted?.lease], [0, lease]);
  });

  test("KV-8: sorting by each target, both ways, before the limit", async () => {
    const prefix = await abc();
    await fixture.client.put(`${prefix}b`, "0");
    await fixture.client.put(`${prefix}b`, "4");
    await fixture.client.put(`${prefix}a`, "5");
    for (const [sort_target, order] of [
      ["KEY", "abc"],
      ["CREATE", "abc"],
      ["MOD", "cba"],
      ["VERSION", "cab"],
      ["VALUE", "cba"],
    ] as const) {
      assert.equal(await letters(prefix, { sort_target, sort_order: "ASCEND" }), order);
      const reversed = [...order].reverse().join("");
      assert.equal(await letters(prefix, { sort_target, sort_order: "DESCEND" }), reversed);
      assert.equal(await letters(prefix, { sort_target, sort_order: "DESCEND", limit: 1 }), reversed[0]);
    }
  });

  test("KV-11: revision filters drop keys before the limit, but not from the count", async () => {
    const prefix = await abc();
    const created = (await fixture.client.prefix(prefix)).kvs.map((kv) => kv.create_revision);
    const filters = { min_create_revision: created[1] ?? 0, limit: 1 };
    const answer = await fixture.client.prefix(prefix, filters);
    assert.deepEqual([keyTexts(answer.kvs), answer.more, answer.count], [[`${prefix}b`], true, "3"]);
    assert.equal(await letters(prefix, { max_create_revision: created[1] ?? 0 }), "ab");
    assert.equal(await letters(prefix, { min_mod_revision: created[2] ?? 0 }), "c");
    assert.equal(await letters(prefix, { max_mod_revision: created[0] ?? 0 }), "a");
  });

  test("KV-12: a future revision is refused", async () => {
    const revision = (await fixture.client.revision()) + 1;
    await refused(fixture.client.range("a", { revision }), status.OUT_OF_RANGE, future);
  });

  test("KV-13: a serializable read gives the same answer", async () => {
    const prefix = await abc();
    assert.deepEqual(await fixture.client.prefix(prefix, { serializable: true }), await fixture.client.prefix(prefix));
  });

  test("KV-22: revisions and versions of a key's life", async () => {
    const key = freshName("life");
    const first = revisionOf(await fixture.client.put(key, ""));
    const second = revisionOf(await fixture.client.put(key, ""));
    assert.equal(second, first + 1);
    const kv = await fixture.client.get(key);
    assert.deepEqual([kv?.create_revision, kv?.mod_revision, kv?.version], [`${first}`, `${second}`, "2"]);
  });

  test("KV-23, KV-24: prev_kv and ignore_value", async () => {
    const key = freshName("ignore");
    const ignore = { ignore_value: true };
    await refused(fixture.client.put(key, "", ignore), status.INVALID_ARGUMENT, "etcdserver: key not found");
    assert.equal((await fixture.client.put(key, "one", { prev_kv: true })).prev_kv, null);
    await refused(fixture.client.put(key, "two", ignore), status.INVALID_ARGUMENT, "etcdserver: value is provided");
    const answer = await fixture.client.put(key, "", { ...ignore, prev_kv: true });
    assert.equal(answer.prev_kv?.value.toString(), "one");
    assert.equal((await fixture.client.get(key))?.value.toString(), "one");
  });

  test("KV-26, KV-28: DeleteRange tells what it deleted; the next life starts anew", async () => {
    const prefix = await abc();
    const request = { key: bytes(prefix), range_end: prefixEnd(prefix), prev_kv: true };
    const answer = await fixture.client.call("etcdserverpb.KV/DeleteRange", request);
    assert.deepEqual([answer.deleted, answer.prev_kvs.map((kv) => kv.value.toString())], ["3", ["1", "2", "3"]]);
    const reborn = await fixture.client.put(`${prefix}a`, "x");
    const kv = await fixture.client.get(`${prefix}a`);
    assert.deepEqual([kv?.create_revision, kv?.version], [reborn.header?.revision, "1"]);
  });

  test("KV-27: a delete that finds nothing does not bump", async () => {
    const before = await fixture.client.revision();
    const answer = await fixture.client.delete(freshName("missing"));
    assert.deepEqual([answer.deleted, revisionOf(answer)], ["0", before]);
  });

  test("TXN-1, TXN-16: success and failure branches; an empty transaction succeeds", async () => {
    const key = freshName("branch");
    const request = { compare: [{ key: bytes(key), target: "VERSION", version: 0 }] as Compare[] };
    const branches = { success: [put(key, "then")], failure: [read(key)] };
    assert.equal((await fixture.client.txn({ ...request, ...branches })).succeeded, true);
    const again = await fixture.client.txn({ ...request, ...branches });
    assert.equal(again.succeeded, false);
    assert.equal(again.responses[0]?.response_range?.kvs[0]?.value.toString(), "then");
    const empty = await fixture.client.txn({});
    assert.deepEqual([empty.succeeded, empty.responses.length], [true, 0]);
  });

  test("TXN-2: every target with every result", async () => {
    const key = freshName("compare");
    const lease = await fixture.client.grant(60);
    await fixture.client.put(key, "m", { lease });
    await fixture.client.put(key, "m", { lease });
    const kv = await fixture.client.get(key);
    assert.ok(kv !== undefined);
    const numbers = { version: kv.version, create_revision: kv.create_revision, mod_revision: kv.mod_revision, lease };
    const targets = { version: "VERSION", create_revision: "CREATE", mod_revision: "MOD", lease: "LEASE" } as const;
    const holds = async (compare: Omit<Compare, "key">) =>
      (await fixture.client.txn({ compare: [{ key: bytes(key), ...compare }] })).succeeded;
    for (const [field, target] of Object.entries(targets) as [keyof typeof targets, Compare["target"]][]) {
      const equal = BigInt(numbers[field]);
      const compare = (result: NonNullable<Compare["result"]>, to: bigint) =>
        holds({ target: target!, result, [field]: to.toString() });
      assert.deepEqual([await compare("EQUAL", equal), await compare("EQUAL", equal + 1n)], [true, false], target);
      assert.deepEqual([await compare("NOT_EQUAL", equal), await compare("NOT_EQUAL", equal + 1n)], [false, true]);
      assert.deepEqual([await compare("GREATER", equal - 1n), await compare("GREATER", equal)], [true, false]);
      assert.deepEqual([await compare("LESS", equal + 1n), await compare("LESS", equal)], [true, false]);
    }
    const value = (result: NonNullable<Compare["result"]>, to: string) =>
      holds({ target: "VALUE", result, value: bytes(to) });
    assert.deepEqual(
      [await value("EQUAL", "m"), await value("GREATER", "l"), await value("LESS", "ma")],
      [true, true, true],
    );
  });

  test("TXN-3: a missing key compares as 0, its value as nothing at all", async () => {
    const key = bytes(freshName("missing"));
    const holds = async (compare: Omit<Compare, "key">) =>
      (await fixture.client.txn({ compare: [{ key, ...compare }] })).succeeded;
    assert.equal(await holds({ target: "LEASE", lease: 0 }), true);
    assert.equal(await holds({ target: "MOD", result: "LESS", mod_revision: 1 }), true);
    assert.equal(await holds({ target: "VALUE", result: "NOT_EQUAL", value: bytes("x") }), false);
  });

  test("TXN-4: a compare over a range must hold for every key", async () => {
    const prefix = await abc();
    const compare: Compare = { key: bytes(prefix), range_end: prefixEnd(prefix), target: "VERSION", version: 1 };
    assert.equal((await fixture.client.txn({ compare: [compare] })).succeeded, true);
    await fixture.client.put(`${prefix}b`, "x");
    assert.equal((await fixture.client.txn({ compare: [compare] })).succeeded, false);
  });

  test("TXN-7, TXN-8, KV-29: operations see earlier ones; all share one revision", async () => {
    const [one, two] = [freshName("seen"), freshName("seen")];
    const before = await fixture.client.revision();
    const answer = await fixture.client.txn({ success: [read(one), put(one, "new"), read(one), put(two)] });
    const [absent, , present] = answer.responses;
    assert.equal(absent?.response_range?.count, "0");
    assert.equal(absent?.response_range?.header?.revision, String(before));
    assert.equal(present?.response_range?.kvs[0]?.value.toString(), "new");
    assert.equal(present?.response_range?.header?.revision, String(before + 1));
    assert.equal(revisionOf(answer), before + 1);
    assert.equal((await fixture.client.get(two))?.create_revision, String(before + 1));
  });

  test("TXN-6: compares of a nested transaction are decided before the outer one writes", async () => {
    const key = freshName("nested");
    const compare: Compare = { key: bytes(key), target: "VERSION", version: 0 };
    const inner: RequestOp = { request_txn: { compare: [compare], success: [read(key)], failure: [] } };
    const answer = await fixture.client.txn({ success: [put(key), inner] });
    assert.equal(answer.responses[1]?.response_txn?.succeeded, true);
    assert.equal(answer.responses[1]?.response_txn?.responses[0]?.response_range?.count, "1");
  });

  test("TXN-9: 128 operations are accepted, 129 refused", async () => {
    const puts = (count: number) => Array.from({ length: count }, () => put(freshName("many")));
    assert.equal((await fixture.client.txn({ success: puts(128) })).responses.length, 128);
    const call = fixture.client.txn({ success: puts(129) });
    await refused(call, status.INVALID_ARGUMENT, "etcdserver: too many operations in txn request");
  });

  test("TXN-10, TXN-12: a key written twice is refused in either branch, and nothing is written", async () => {
    const key = freshName("twice");
    for (const ops of [
      [put(key), put(key)],
      [put(key), remove(key)],
      [remove(key), put(key)],
    ]) {
      await refused(fixture.client.txn({ success: ops }), status.INVALID_ARGUMENT, duplicate);
      await refused(fixture.client.txn({ success: [put(key)], failure: ops }), status.INVALID_ARGUMENT, duplicate);
    }
    assert.equal(await fixture.client.get(key), undefined);
    await fixture.client.txn({ success: [remove(key), remove(key)] });
  });

  test("TXN-15: an operation without content is refused", async () => {
    await refused(fixture.client.txn({ success: [{}] }), status.INVALID_ARGUMENT, "etcdserver: key not found");
  });

  test("COMP-1, COMP-3, COMP-6: compaction refuses the past and keeps the present", async () => {
    const key = freshName("compact");
    const first = revisionOf(await fixture.client.put(key, "one"));
    const second = revisionOf(await fixture.client.put(key, "two"));
    const compact = (revision: number, physical = false) =>
      fixture.client.call("etcdserverpb.KV/Compact", { revision, physical });
    await refused(compact(second + 1), status.OUT_OF_RANGE, future);
    assert.equal(revisionOf(await compact(second, true)), second);
    await refused(compact(first), status.OUT_OF_RANGE, compacted);
    await refused(compact(second), status.OUT_OF_RANGE, compacted);
    await refused(fixture.client.range(key, { revision: first }), status.OUT_OF_RANGE, compacted);
    assert.equal((await fixture.client.range(key, { revision: second })).kvs[0]?.value.toString(), "two");
  });

  test("I2: a hundred concurrent increments by compare-and-put are each counted once", async () => {
    const key = freshName("counter");
    await fixture.client.put(key, "0");
    const increment = async (): Promise<void> => {
      for (;;) {
        const kv = await fixture.client.get(key);
        assert.ok(kv !== undefined);
        const compare: Compare = { key: kv.key, target: "MOD", mod_revision: kv.mod_revision };
        const next = put(key, String(Number(kv.value.toString()) + 1));
        if ((await fixture.client.txn({ compare: [compare], success: [next] })).succeeded) {
          return;
        }
      }
    };
    await Promise.all(Array.from({ length: 100 }, increment));
    const kv = await fixture.client.get(key);
    assert.deepEqual([kv?.value.toString(), kv?.version], ["100", "101"]);
  });
});
