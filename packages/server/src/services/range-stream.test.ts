import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createRangeRequest,
  etcdErrors,
  etcdTexts,
  kvService,
  type RangeRequest,
  type RangeResponse,
  rangeResponseCodec,
  SortOrder,
  SortTarget,
} from "@holdfast/protocol";
import { Services, until } from "../testing/services.js";
import { rejectsAs } from "../testing/status-error.js";
import { byteString, type TestClient } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";

const { rangeStream } = kvService.methods;
const everything = { key: byteString("\0"), rangeEnd: byteString("\0") };

/** All pieces of a stream that ends well. Rejects with its status if it does not. */
async function pieces(client: TestClient, fields: Partial<RangeRequest>): Promise<RangeResponse[]> {
  const stream = client.stream(rangeStream, fields);
  const { responses, status } = await stream.drain();
  if (status.code !== 0) await stream.next();
  return responses.map(({ rangeResponse }) => rangeResponse!);
}

/** What protobuf makes of the pieces, one encoding behind the other. */
function merged(parts: readonly RangeResponse[]): RangeResponse {
  return rangeResponseCodec.decode(Buffer.concat(parts.map((part) => rangeResponseCodec.encode(part))));
}

async function putNumbered(client: TestClient, count: number, value = ""): Promise<void> {
  for (let start = 0; start < count; start += 100) {
    const length = Math.min(100, count - start);
    const key = (i: number): string => `k${String(start + i).padStart(5, "0")}`;
    await Promise.all(Array.from({ length }, (_, i) => client.put(key(i), value)));
  }
}

test("KV-14: the pieces' merge is what Range answers; header, more and count come with the last piece alone", async (t) => {
  const { client } = await start(t);
  await putNumbered(client, 500, "value");
  for (const fields of [everything, { ...everything, limit: 77 }, { ...everything, revision: 400 }]) {
    const parts = await pieces(client, fields);
    assert.ok(parts.length > 2);
    assert.deepEqual(merged(parts), await client.call(kvService.methods.range, fields));
    for (const part of parts.slice(0, -1)) {
      assert.deepEqual([part.header, part.more, part.count], [undefined, false, 0]);
    }
  }
});

test("KV-16: the first piece has at most 10 keys, and pieces double while they are small", async (t) => {
  const { client } = await start(t);
  await putNumbered(client, 500);
  const sizes = (await pieces(client, everything)).map(({ kvs }) => kvs.length);
  assert.deepEqual(sizes, [10, 20, 40, 80, 160, 190]);
});

test("KV-16: pieces shrink when they are large, down to one key, and a value larger than any piece goes alone", async (t) => {
  const { client } = await start(t, { serviceLimits: { requestBytes: 400 } });
  await putNumbered(client, 20, "x".repeat(300));
  const sizes = (await pieces(client, everything)).map(({ kvs }) => kvs.length);
  // 10 pairs are above twice the limit, and so are 5; 2 pairs are between a half and twice the limit.
  assert.deepEqual(sizes, [10, 5, 2, 2, 1]);
});

test("KV-15: the stream reads at the revision at which it began; later writes are not in it", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  await putNumbered(client, 1_000, "x".repeat(1_000));
  const stream = client.stream(rangeStream, everything);
  stream.call.pause();
  const first = await stream.next();
  assert.equal(first.rangeResponse?.kvs.length, 10);
  await until(() => services.streams[0]?.congested === true);
  await client.delete("\0", "\0");
  await client.put("k00999", "late");
  stream.call.resume();
  const { responses, status } = await stream.drain();
  const all = merged([first, ...responses].map(({ rangeResponse }) => rangeResponse!));
  assert.deepEqual([status.code, all.kvs.length, all.count, all.header?.revision], [0, 1_000, 1_000, 1_001]);
  assert.equal(all.kvs[999]?.modRevision, all.kvs[999]?.createRevision);
});

test("KV-17: a limit cuts the total, more says so, and count is the number of all", async (t) => {
  const { client } = await start(t);
  await putNumbered(client, 100);
  const cut = merged(await pieces(client, { ...everything, limit: 35 }));
  assert.deepEqual([cut.kvs.length, cut.more, cut.count], [35, true, 100]);
  const exact = merged(await pieces(client, { ...everything, limit: 100 }));
  assert.deepEqual([exact.kvs.length, exact.more, exact.count], [100, false, 100]);
});

test("KV-18: counting takes one message; keys without values and past revisions work", async (t) => {
  const { client } = await start(t);
  await putNumbered(client, 50, "value");
  const [count, ...none] = await pieces(client, { ...everything, countOnly: true });
  assert.deepEqual([count?.kvs, count?.count, count?.header?.revision, none], [[], 50, 51, []]);
  const keys = merged(await pieces(client, { ...everything, keysOnly: true, revision: 21 }));
  assert.deepEqual([keys.kvs.length, keys.kvs[0]?.value.length], [20, 0]);
});

test("KV-7, KV-14: keys alone show no lease, unless the target is the value, as Range has it", async (t) => {
  const { client } = await start(t);
  await client.grant(7n);
  await client.put("a", "v", 7n);
  for (const [sortTarget, lease] of [
    [SortTarget.KEY, 0n],
    [SortTarget.VALUE, 7n],
  ] as const) {
    const fields = { ...everything, keysOnly: true, sortTarget };
    const [streamed] = await pieces(client, fields);
    assert.deepEqual(streamed?.kvs, (await client.call(kvService.methods.range, fields)).kvs);
    assert.equal(streamed?.kvs[0]?.lease, lease);
  }
});

test("KV-14: an empty range is one last piece; a single key works too", async (t) => {
  const { client } = await start(t);
  await client.put("a", "1");
  for (const [key, rangeEnd] of [
    ["x", "z"],
    ["b", "a"],
    ["a", "a"],
  ] as const) {
    const nothing = await pieces(client, { key: byteString(key), rangeEnd: byteString(rangeEnd) });
    assert.deepEqual([nothing.length, nothing[0]?.count, nothing[0]?.header?.revision], [1, 0, 2]);
  }
  const [single] = await pieces(client, { key: byteString("a") });
  assert.deepEqual([single?.kvs.length, single?.count], [1, 1]);
});

test("KV-19: other sort orders and revision filters are not offered; no order is key order whatever the target", async (t) => {
  const { client } = await start(t);
  await putNumbered(client, 30);
  await client.put("k00000", "rewritten");
  const sorted = { ...everything, sortOrder: SortOrder.DESCEND };
  await rejectsAs(pieces(client, sorted), etcdTexts.rangeStreamSortOrder);
  const byValue = { ...everything, sortOrder: SortOrder.ASCEND, sortTarget: SortTarget.VALUE };
  await rejectsAs(pieces(client, byValue), etcdTexts.rangeStreamSortOrder);
  for (const filter of ["minModRevision", "maxModRevision", "minCreateRevision", "maxCreateRevision"] as const) {
    await rejectsAs(pieces(client, { ...everything, [filter]: 3 }), etcdTexts.rangeStreamRevisionFilter);
  }
  const unsorted = merged(await pieces(client, { ...everything, sortTarget: SortTarget.MOD }));
  const keys = unsorted.kvs.map(({ key }) => key);
  assert.deepEqual(keys, [...keys].sort());
  assert.equal((await pieces(client, { ...everything, sortOrder: SortOrder.ASCEND })).at(-1)?.count, 30);
});

test("ORD-2: the shape is looked at before what the stream does not offer, that before the revision", async (t) => {
  const { client } = await start(t);
  await rejectsAs(pieces(client, { sortOrder: SortOrder.DESCEND, revision: 9 }), etcdErrors.emptyKey);
  await rejectsAs(pieces(client, { ...everything, sortOrder: 9, revision: 9 }), etcdErrors.invalidSortOption);
  await rejectsAs(
    pieces(client, { ...everything, minModRevision: 1, revision: 9 }),
    etcdTexts.rangeStreamRevisionFilter,
  );
  await rejectsAs(pieces(client, { ...everything, revision: 9 }), etcdErrors.futureRev);
});

test("KV-20: when the pinned revision is compacted midway, the stream ends as compacted", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  await putNumbered(client, 1_000, "x".repeat(1_000));
  const stream = client.stream(rangeStream, everything);
  stream.call.pause();
  await stream.next();
  await until(() => services.streams[0]?.congested === true);
  await client.put("later");
  await client.compact(1_002);
  stream.call.resume();
  const { responses, status } = await stream.drain();
  assert.deepEqual([status.code, status.message], [etcdErrors.compacted.wireCode, etcdErrors.compacted.wireMessage]);
  assert.ok(responses.every(({ rangeResponse }) => rangeResponse?.header === undefined));
});

test("F20: a stream that is not read holds no more than a piece above the high-water mark, and gets everything later", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  const value = "x".repeat(10_000);
  await putNumbered(client, 1_000, value);
  const stream = client.stream(rangeStream, everything);
  stream.call.pause();
  await until(() => services.streams[0]?.congested === true);
  const { unsentBytes } = services.streams[0]!;
  // Other calls of the same connection are served meanwhile.
  await client.put("other");
  assert.equal(services.streams[0]?.unsentBytes, unsentBytes);
  const pieceBytesMax = 2 * services.context.limits.requestBytes;
  assert.ok(unsentBytes < pieceBytesMax + 256 * 1024, `${unsentBytes} bytes wait`);
  stream.call.resume();
  const { responses, status } = await stream.drain();
  const whole = await client.call(kvService.methods.range, createRangeRequest({ ...everything, revision: 1_001 }));
  assert.equal(status.code, 0);
  assert.deepEqual(merged(responses.map(({ rangeResponse }) => rangeResponse!)).kvs, whole.kvs);
});
