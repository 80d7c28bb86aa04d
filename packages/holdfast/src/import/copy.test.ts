/** Imports from one Holdfast into another; from a real etcd, see the conformance suites. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  type ByteString,
  byteStringFromText,
  type Connection,
  connect,
  EtcdError,
  kvService,
  leaseService,
  textFromByteString,
} from "@holdfast/client";
import { type ServerOptions, startServer } from "@holdfast/server";
import { RefusedError } from "../remote/outcome-errors.js";
import { UsageError } from "../settings/usage-error.js";
import { type CopyOptions, type CopyResult, copyStore } from "./copy.js";
import { importLimits } from "./limits.js";
import { Progress } from "./progress.js";

const { put, range, deleteRange, compact } = kvService.methods;
const { leaseGrant, leaseKeepAlive, leaseRevoke, leaseTimeToLive, leaseLeases } = leaseService.methods;

async function serve(t: TestContext, options: ServerOptions = {}): Promise<Connection> {
  const server = await startServer({ listen: "127.0.0.1:0", ...options });
  const connection = await connect({ endpoints: server.endpoint });
  t.after(async () => {
    connection.close();
    await server.close();
  });
  return connection;
}

async function set(store: Connection, key: string, value: string, lease = 0n): Promise<void> {
  await store.call(put, { key: byteStringFromText(key), value: Buffer.from(value), lease });
}

async function remove(store: Connection, key: string): Promise<void> {
  await store.call(deleteRange, { key: byteStringFromText(key) });
}

/** "key=value lease" of every key, oldest first if `byAge`. */
async function show(store: Connection, byAge = false): Promise<string[]> {
  const zero = "\0" as ByteString;
  const { kvs } = await store.call(range, { key: zero, rangeEnd: zero });
  const sorted = byAge ? [...kvs].sort((a, b) => a.createRevision - b.createRevision) : kvs;
  return sorted.map(({ key, value, lease }) => `${textFromByteString(key)}=${Buffer.from(value)} ${lease}`);
}

function copy(source: Connection, target: Connection, options: Partial<CopyOptions> = {}): Promise<CopyResult> {
  const progress = new Progress({ write: () => {} }, () => 0);
  return copyStore(source, target, { prefix: "", extraKeys: "refuse", ...options }, progress);
}

function figures({ copied, unchanged, deleted, kept, leasesGranted, leasesPresent }: CopyResult): number[] {
  return [copied, unchanged, deleted, kept, leasesGranted, leasesPresent];
}

test("keys and leases are copied; run again, nothing is written that is the same", async (t) => {
  const [source, target] = [await serve(t), await serve(t)];
  await source.call(leaseGrant, { id: 7n, ttl: 600 });
  await source.call(leaseGrant, { id: -8n, ttl: 1_000 });
  await set(source, "a", "1");
  await set(source, "b", "2", 7n);
  await set(source, "ü\0", "");
  assert.deepEqual(figures(await copy(source, target)), [3, 0, 0, 0, 2, 2]);
  assert.deepEqual(await show(target), await show(source));
  const { grantedTtl, keys } = await target.call(leaseTimeToLive, { id: 7n, keys: true });
  assert.deepEqual([grantedTtl, keys], [600, ["b"]]);
  const before = await target.call(range, { key: byteStringFromText("a") });
  assert.deepEqual(figures(await copy(source, target)), [0, 3, 0, 0, 0, 2]);
  const after = await target.call(range, { key: byteStringFromText("a") });
  assert.equal(after.header?.revision, before.header?.revision);
});

test("a later run copies changes of value and lease, and deletes what is gone only when told to", async (t) => {
  const [source, target] = [await serve(t), await serve(t)];
  await source.call(leaseGrant, { id: 7n, ttl: 600 });
  for (const key of ["a", "b", "c", "d"]) await set(source, key, "1");
  await copy(source, target);
  await set(source, "a", "2");
  await set(source, "b", "1", 7n);
  await set(source, "e", "new");
  await remove(source, "c");
  await assert.rejects(copy(source, target), (error) => {
    assert.ok(error instanceof RefusedError);
    assert.match(error.message, /^the target has 1 key that the source does not have \("c"\); nothing was changed/);
    return true;
  });
  assert.deepEqual(await show(target), ["a=1 0", "b=1 0", "c=1 0", "d=1 0"]);
  assert.deepEqual(figures(await copy(source, target, { extraKeys: "keep" })), [3, 1, 0, 1, 0, 1]);
  assert.deepEqual(await show(target), ["a=2 0", "b=1 7", "c=1 0", "d=1 0", "e=new 0"]);
  assert.deepEqual(figures(await copy(source, target, { extraKeys: "delete" })), [0, 4, 1, 0, 0, 1]);
  assert.deepEqual(await show(target), await show(source));
});

test("with a prefix, keys and leases outside of it are left alone at both ends", async (t) => {
  const [source, target] = [await serve(t), await serve(t)];
  for (const id of [1n, 2n]) await source.call(leaseGrant, { id, ttl: 600 });
  await set(source, "app/a", "1", 1n);
  await set(source, "app0", "outside", 2n);
  await set(target, "other", "mine");
  await set(target, "app/old", "gone");
  await assert.rejects(copy(source, target, { prefix: "app/" }), RefusedError);
  assert.deepEqual(figures(await copy(source, target, { prefix: "app/", extraKeys: "delete" })), [1, 0, 1, 0, 1, 1]);
  assert.deepEqual(await show(target), ["app/a=1 1", "other=mine 0"]);
  assert.deepEqual(
    (await target.call(leaseLeases)).leases.map(({ id }) => id),
    [1n],
  );
});

test("LIM-1, TXN-9: many keys, and long values, go over in parts", async (t) => {
  const [source, target] = [await serve(t), await serve(t)];
  const count = 1_000;
  await Promise.all(Array.from({ length: count }, (_, n) => set(source, `key ${n}`, `${n}`)));
  for (let n = 0; n < 10; n++) await set(source, `long ${n}`, "x".repeat(1_200_000 + n));
  const result = await copy(source, target);
  assert.equal(result.copied, count + 10);
  assert.deepEqual(await show(target), await show(source));
});

test("a value that the target takes in no request stops the import, and says what to do", async (t) => {
  const source = await serve(t, {
    serviceLimits: { requestBytes: 4_000_000 },
    transportLimits: { messageBytesMax: 5_000_000 },
  });
  const target = await serve(t, { transportLimits: { messageBytesMax: 5_000_000 } });
  await set(source, "long", "x".repeat(2_000_000));
  await assert.rejects(copy(source, target), (error) => {
    assert.ok(error instanceof RefusedError);
    assert.match(error.message, /^key "long" has a value of 2000000 bytes.*--max-request-bytes/);
    return true;
  });
});

test("LOCK-3: the order in which locks are waited for is kept, and mended by a later run", async (t) => {
  const [source, target] = [await serve(t), await serve(t)];
  for (const id of [1n, 2n, 3n]) await source.call(leaseGrant, { id, ttl: 600 });
  for (const id of [3n, 1n, 2n]) await set(source, `lock/${id}`, "", id);
  await copy(source, target);
  assert.deepEqual(await show(target, true), ["lock/3= 3", "lock/1= 1", "lock/2= 2"]);
  await remove(source, "lock/3");
  await set(source, "lock/3", "", 3n);
  const result = await copy(source, target);
  assert.deepEqual(figures(result), [1, 2, 0, 0, 0, 3]);
  assert.deepEqual(await show(target, true), ["lock/1= 1", "lock/2= 2", "lock/3= 3"]);
});

test("LEASE-3: a lease that the target has with less time stops the import before it writes a key", async (t) => {
  const [source, target] = [await serve(t), await serve(t)];
  await source.call(leaseGrant, { id: 0x1fn, ttl: 600 });
  await set(source, "a", "1", 0x1fn);
  await target.call(leaseGrant, { id: 0x1fn, ttl: 60 });
  await assert.rejects(copy(source, target), /^RefusedError: lease 1f has 60 s at the target and 600 s at the source/);
  assert.deepEqual(await show(target), []);
  await target.call(leaseRevoke, { id: 0x1fn });
  await target.call(leaseGrant, { id: 0x1fn, ttl: 700 });
  assert.deepEqual(figures(await copy(source, target)), [1, 0, 0, 0, 0, 1]);
});

test("a store is not imported into itself", async (t) => {
  const server = await startServer({ listen: "127.0.0.1:0" });
  t.after(() => server.close());
  const [one, other] = [await connect({ endpoints: server.endpoint }), await connect({ endpoints: server.endpoint })];
  await assert.rejects(copy(one, other), UsageError);
  for (const connection of [one, other]) connection.close();
});

/** A connection whose calls of the method at `path` are announced to `before`, which may do something first, or throw. */
function intercepted(connection: Connection, path: string, before: (count: number) => Promise<void>): Connection {
  let count = 0;
  return new Proxy(connection, {
    get(on, property) {
      const value: unknown = Reflect.get(on, property, on);
      if (typeof value !== "function") return value;
      return async (...args: [{ path: string }, ...unknown[]]) => {
        if (args[0].path === path) await before(++count);
        return value.apply(on, args);
      };
    },
  });
}

test("COMP-2: when the source compacts the revision that is read, the import begins anew", async (t) => {
  const [source, target] = [await serve(t), await serve(t)];
  for (let n = 0; n < 200; n++) await set(source, `key ${n}`, "old");
  const wanted = importLimits.pageKeysFirst;
  const unstable = intercepted(source, range.path, async (count) => {
    // The first page of the copy itself has been read; the second asks for a revision that is gone.
    if (count !== 3) return;
    await set(source, "key 0", "new");
    const { header } = await source.call(range, { key: byteStringFromText("key 0") });
    await source.call(compact, { revision: header?.revision ?? 0 });
  });
  assert.ok(wanted < 200);
  const result = await copy(unstable, target);
  assert.deepEqual(await show(target), await show(source));
  assert.equal(result.copied + result.unchanged, 200);
  const alwaysGone = intercepted(source, range.path, async () => {
    await set(source, "key 1", "newer");
    const { header } = await source.call(range, { key: byteStringFromText("key 1") });
    await source.call(compact, { revision: header?.revision ?? 0 });
  });
  await assert.rejects(copy(alwaysGone, await serve(t)), (error) => error instanceof EtcdError);
});

test("what somebody else writes at the target during the import is not overwritten, and is reported", async (t) => {
  const [source, target] = [await serve(t), await serve(t)];
  for (const key of ["a", "b", "c"]) await set(source, key, "theirs");
  const disturbed = intercepted(target, kvService.methods.txn.path, async (count) => {
    if (count !== 1) return;
    await set(target, "b", "mine");
    await set(target, "c", "theirs");
  });
  const result = await copy(source, disturbed);
  assert.deepEqual(result.changedMeanwhile, ["b"]);
  assert.deepEqual(await show(target), ["a=theirs 0", "b=mine 0", "c=theirs 0"]);
  assert.deepEqual((await copy(source, target)).changedMeanwhile, []);
  assert.deepEqual(await show(target), await show(source));
});

test("an import that is broken off goes on when it is run again", async (t) => {
  const [source, target] = [await serve(t), await serve(t)];
  const count = 1_000;
  await Promise.all(Array.from({ length: count }, (_, n) => set(source, `key ${n}`, `${n}`)));
  const breaking = intercepted(target, kvService.methods.txn.path, async (call) => {
    if (call > 3) throw new Error("broken off");
  });
  await assert.rejects(copy(source, breaking), /^Error: broken off$/);
  const { copied, unchanged } = await copy(source, target);
  assert.deepEqual([copied + unchanged, unchanged >= 3 * importLimits.batchWritesMax], [count, true]);
  assert.deepEqual(await show(target), await show(source));
});

test("LEASE-18: at the end of every run, the leases at the target have their whole lifetime again", async (t) => {
  const [source, target] = [await serve(t), await serve(t)];
  await source.call(leaseGrant, { id: 1n, ttl: 600 });
  await set(source, "a", "1", 1n);
  let steps: string[] = [];
  const noting = intercepted(
    intercepted(target, leaseKeepAlive.path, async () => void steps.push("renewed")),
    kvService.methods.txn.path,
    async () => void steps.push("written"),
  );
  await copy(source, noting);
  assert.deepEqual(steps, ["written", "renewed"]);
  steps = [];
  await copy(source, noting);
  assert.deepEqual(steps, ["renewed"]);
});

test("LEASE-28: keys whose lease ends at the source during the import are left out", async (t) => {
  const [source, target] = [await serve(t), await serve(t)];
  for (const id of [1n, 2n]) await source.call(leaseGrant, { id, ttl: 600 });
  await set(source, "a", "1", 1n);
  await set(source, "b", "2", 2n);
  const ending = intercepted(source, leaseLeases.path, async () => {
    await source.call(leaseRevoke, { id: 1n });
  });
  const result = await copy(ending, target);
  assert.equal(result.ended, 1);
  assert.deepEqual(await show(target), ["b=2 2"]);
});

test("LEASE-9: leases that end at the target during the import are reported; a later run puts all right", async (t) => {
  const [source, target] = [await serve(t), await serve(t)];
  await source.call(leaseGrant, { id: 1n, ttl: 600 });
  await set(source, "a", "1", 1n);
  await set(source, "b", "2");
  const ending = intercepted(target, kvService.methods.txn.path, async (count) => {
    if (count === 1) await target.call(leaseRevoke, { id: 1n });
  });
  const result = await copy(source, ending);
  assert.deepEqual([result.leasesLost, result.changedMeanwhile], [1, ["a"]]);
  assert.deepEqual(await show(target), ["b=2 0"]);
  assert.deepEqual(figures(await copy(source, target)), [1, 1, 0, 0, 1, 1]);
  assert.deepEqual(await show(target), await show(source));
});
