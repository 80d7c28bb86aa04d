/** F18: 64-bit numbers stay exact, and keys are bytes, whatever they look like, through every call. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CompareTarget,
  createCompare,
  createRangeRequest,
  createRequestOp,
  createWatchCreateRequest,
  etcdErrors,
  kvService,
  leaseService,
} from "@holdfast/protocol";
import fc from "fast-check";
import { HttpHarness } from "../http/testing/http-harness.js";
import { Services } from "../testing/services.js";
import { rejectsAs } from "../testing/status-error.js";
import { byteString, type TestClient } from "../testing/test-client.js";
import { openWatch } from "../testing/watching.js";

/** Names that objects and text have a meaning for, and bytes that are no text. */
const names = [
  "__proto__",
  "constructor",
  "hasOwnProperty",
  "toString",
  "valueOf",
  "0",
  "4294967295",
  "9007199254740993",
  "\0",
  "a\0b",
  "\xff",
  "\xff\xff",
  "\x80",
  "\xc3\x28",
  "\xed\xa0\x80",
  "\xef\xbb\xbf",
];
const { leaseTimeToLive, leaseLeases } = leaseService.methods;

/** Every pair of neighbours is one number as a double. */
const ids = [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 2n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 63n) + 1n, -1n];

test("F18: keys of any bytes go through puts, reads, compares, watches, leases and deletes as they are", async (t) => {
  const client = await (await Services.start(t)).connect();
  await client.grant(1n);
  const all = { key: byteString("\0"), rangeEnd: byteString("\0") };
  const watch = await client.watch(all);
  for (const name of names) await client.put(name, name, 1n);
  const sorted = [...names].sort();
  assert.deepEqual(await client.keys(""), sorted);
  const { keys } = await client.call(leaseTimeToLive, { id: 1n, keys: true });
  assert.deepEqual([...keys].sort(), sorted);
  for (const name of names) {
    const compare = [createCompare({ key: byteString(name), target: CompareTarget.VALUE, value: Buffer.from(name) })];
    const success = [createRequestOp({ requestRange: createRangeRequest({ key: byteString(name) }) })];
    const { succeeded, responses } = await client.call(kvService.methods.txn, { compare, success });
    assert.deepEqual([succeeded, responses[0]?.responseRange?.kvs[0]?.key], [true, name]);
  }
  const seen: string[] = [];
  while (seen.length < names.length) for (const { kv } of (await watch.next()).events) seen.push(kv?.key ?? "");
  assert.deepEqual(seen, names);
  for (const name of names) assert.equal(await client.delete(name), 1);
  assert.deepEqual(await client.keys(""), []);
  await rejectsAs(client.put(""), etcdErrors.emptyKey);
});

test("F18: locks of any name, and the leases of their holders, are told apart", async (t) => {
  const client = await (await Services.start(t)).connect();
  for (const id of ids) await client.grant(id);
  for (const name of names) {
    assert.match(await client.lock(name, 2n ** 53n), /\/20000000000000$/);
  }
  const held = await client.keys("");
  assert.deepEqual(held, names.map((name) => `${name}/20000000000000`).sort());
  await client.revoke(2n ** 53n + 1n);
  assert.equal((await client.keys("")).length, names.length);
  await client.revoke(2n ** 53n);
  assert.deepEqual(await client.keys(""), []);
});

test("F18: ids that are one number as a double are different leases, listed, renewed, attached and ended each for itself", async (t) => {
  const client = await (await Services.start(t)).connect();
  for (const id of ids) {
    await client.grant(id, 600);
    await client.put(`of ${id}`, "", id);
  }
  const { leases } = await client.call(leaseLeases);
  assert.deepEqual(leases.map(({ id }) => id).sort(ascending), [...ids].sort(ascending));
  const keepAlive = client.open(leaseService.methods.leaseKeepAlive);
  for (const id of ids) {
    keepAlive.send({ id });
    const renewed = await keepAlive.next();
    assert.deepEqual([renewed.id, renewed.ttl], [id, 600]);
    assert.equal((await client.get(`of ${id}`))?.lease, id);
  }
  for (const [index, id] of ids.entries()) {
    await client.revoke(id);
    assert.equal((await client.keys("")).length, ids.length - index - 1);
    assert.equal(await client.get(`of ${id}`), undefined);
  }
});

test("F18: any 64-bit id comes back from grant, put and watch as it was", async (t) => {
  const client = await (await Services.start(t)).connect();
  const near = (center: bigint): fc.Arbitrary<bigint> =>
    fc.integer({ min: -3, max: 3 }).map((offset) => BigInt.asIntN(64, center + BigInt(offset)));
  const anyId = fc.oneof(near(2n ** 53n), near(2n ** 63n), near(-(2n ** 53n)), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n));
  await fc.assert(
    fc.asyncProperty(
      anyId.filter((id) => id !== 0n),
      async (id) => {
        await client.grant(id);
        await client.put("k", "", id);
        assert.equal((await client.get("k"))?.lease, id);
        assert.equal(await watchIdOf(client, id), id);
        await client.revoke(id);
      },
    ),
    { numRuns: 40 },
  );
});

async function watchIdOf(client: TestClient, watchId: bigint): Promise<bigint | undefined> {
  const stream = openWatch(client);
  stream.send({ createRequest: createWatchCreateRequest({ key: byteString("w"), watchId }) });
  const { watchId: given } = await stream.next();
  stream.call.cancel();
  return given;
}

test("F18: JSON has 64-bit numbers as text, exactly, and keys in base64", async (t) => {
  const harness = await HttpHarness.start(t);
  const post = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
    const init = { method: "POST", body: JSON.stringify(body), headers: { connection: "close" } };
    return (await (await fetch(`${harness.origin}${path}`, init)).json()) as Record<string, unknown>;
  };
  for (const id of ["9007199254740993", "9223372036854775807", "-9223372036854775808"]) {
    assert.equal((await post("/v3/lease/grant", { ID: id, TTL: "600" })).ID, id);
    const key = Buffer.from("\xff__proto__", "latin1").toString("base64");
    await post("/v3/kv/put", { key, lease: id });
    const { kvs } = (await post("/v3/kv/range", { key })) as { kvs: { key: string; lease: string }[] };
    assert.deepEqual([kvs[0]?.key, kvs[0]?.lease], [key, id]);
  }
});

function ascending(left: bigint, right: bigint): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
