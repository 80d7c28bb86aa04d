import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createDeleteRangeRequest,
  createRequestOp,
  createTxnRequest,
  electionService,
  etcdErrors,
  kvService,
  type LeaderRequest,
  type LeaderResponse,
  type RequestOp,
  StatusCode,
} from "@holdfast/protocol";
import { Services, until } from "../testing/services.js";
import { byteString, putOp, type TestClient, text } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";
import type { TestStream } from "../testing/test-stream.js";

type Observing = TestStream<LeaderRequest, LeaderResponse>;

/** Observes election `e`; resolves when the server has looked who leads. */
async function observe(client: TestClient): Promise<Observing> {
  const stream = client.stream(electionService.methods.observe, { name: byteString("e") });
  await stream.opened();
  return stream;
}

/** Deletes `key` and all behind it, which a transaction may do to a key that it puts (TXN-11). */
function deleteFrom(key: string): RequestOp {
  const request = createDeleteRangeRequest({ key: byteString(key), rangeEnd: byteString("\0") });
  return createRequestOp({ requestDeleteRange: request });
}

/** The next message as "key=value@mod revision, header revision". */
async function told(stream: Observing): Promise<string> {
  const { kv, header } = await stream.next();
  return `${kv?.key}=${text(kv!.value)}@${kv?.modRevision}, ${header?.revision}`;
}

test("ELECT-23: a leader that is there is sent first, with the revision of the look", async (t) => {
  const { client } = await start(t);
  await client.put("e/1", "one");
  await client.put("elsewhere");
  assert.equal(await told(await observe(client)), "e/1=one@2, 3");
});

test("ELECT-24: without a leader nothing is sent until the first put under the prefix", async (t) => {
  const { client, server } = await start(t);
  const stream = await observe(client);
  await client.put("elsewhere");
  await client.put("e");
  await client.put("e0");
  await client.put("e/1", "one");
  const response = await stream.next();
  const { clusterId, memberId } = server.running;
  assert.deepEqual(response.header, { clusterId, memberId, revision: 5, raftTerm: 1 });
  assert.deepEqual([response.kv?.key, stream.waiting], ["e/1", 0]);
});

test("ELECT-25: each put on the leader's key is sent, in order, none merged", async (t) => {
  const { client } = await start(t);
  await client.put("e/1", "0");
  const stream = await observe(client);
  await Promise.all(Array.from({ length: 50 }, (_, i) => client.put("e/1", `${i + 1}`)));
  for (let i = 0; i <= 50; i++) assert.equal(await told(stream), `e/1=${i}@${i + 2}, ${i + 2}`);
});

test("ELECT-26: a deletion is not sent; the next candidate is, with the revision of the new look", async (t) => {
  const { client } = await start(t);
  await client.put("e/1", "one");
  await client.put("e/2", "two");
  const stream = await observe(client);
  assert.equal(await told(stream), "e/1=one@2, 3");
  await client.put("elsewhere");
  await client.delete("e/1");
  assert.equal(await told(stream), "e/2=two@3, 5");
  await client.put("e/2", "zwei");
  assert.equal(await told(stream), "e/2=zwei@6, 6");
});

test("ELECT-26, ELECT-24: when the last candidate goes, the next first put is sent", async (t) => {
  const { client } = await start(t);
  await client.put("e/1", "one");
  const stream = await observe(client);
  await told(stream);
  await client.delete("e/1");
  await client.put("e/2", "two");
  assert.equal(await told(stream), "e/2=two@4, 4");
  await client.put("e/2", "more");
  assert.equal(await told(stream), "e/2=more@5, 5");
});

test("ELECT-26: the same key led again is sent again", async (t) => {
  const { client } = await start(t);
  await client.put("e/1", "one");
  const stream = await observe(client);
  await told(stream);
  await client.delete("e/1");
  await client.put("e/1", "again");
  await client.put("e/1", "more");
  assert.equal(await told(stream), "e/1=again@4, 4");
  assert.equal(await told(stream), "e/1=more@5, 5");
});

test("ELECT-27: what candidates that wait do is not sent", async (t) => {
  const { client } = await start(t);
  await client.put("e/1", "one");
  const stream = await observe(client);
  await told(stream);
  await client.put("e/2", "two");
  await client.put("e/2", "zwei");
  await client.delete("e/2");
  await client.put("e/1", "uno");
  assert.equal(await told(stream), "e/1=uno@6, 6");
});

test("ELECT-28: of several first puts in one transaction, the first is sent", async (t) => {
  const { client } = await start(t);
  const stream = await observe(client);
  await client.call(kvService.methods.txn, createTxnRequest({ success: [putOp("e/z", "z"), putOp("e/a", "a")] }));
  assert.equal(await told(stream), "e/z=z@2, 2");
  await client.put("e/a", "not followed");
  await client.put("e/z", "followed");
  assert.equal(await told(stream), "e/z=followed@4, 4");
});

test("ELECT-28, TXN-11: a first put that its own transaction deletes is sent, and not followed", async (t) => {
  const { client } = await start(t);
  const stream = await observe(client);
  const putAndDeleted = [putOp("e/1", "dead"), deleteFrom("e/1")];
  await client.call(kvService.methods.txn, createTxnRequest({ success: putAndDeleted }));
  assert.equal(await told(stream), "e/1=dead@2, 2");
  await client.put("e/2", "two");
  assert.equal(await told(stream), "e/2=two@3, 3");
  await client.put("e/1", "waits");
  await client.put("e/2", "zwei");
  assert.equal(await told(stream), "e/2=zwei@5, 5");
});

test("ELECT-28, TXN-11: when the first put's transaction deletes it and makes another candidate, that one is sent", async (t) => {
  const { client } = await start(t);
  const stream = await observe(client);
  const replaced = [putOp("e/1", "dead"), deleteFrom("e/1"), putOp("e/2", "two")];
  await client.call(kvService.methods.txn, createTxnRequest({ success: replaced }));
  assert.equal(await told(stream), "e/1=dead@2, 2");
  assert.equal(await told(stream), "e/2=two@2, 2");
  await client.put("e/2", "zwei");
  assert.equal(await told(stream), "e/2=zwei@3, 3");
});

test("ELECT-26, TXN-11: a leader that one transaction puts and deletes is sent once more; then the next one leads", async (t) => {
  const { client } = await start(t);
  await client.put("e/1", "one");
  await client.put("e/0", "nil");
  const stream = await observe(client);
  assert.equal(await told(stream), "e/1=one@2, 3");
  const putAndDeleted = [putOp("e/1", "last"), deleteFrom("e/1")];
  await client.call(kvService.methods.txn, createTxnRequest({ success: putAndDeleted }));
  assert.equal(await told(stream), "e/1=last@4, 4");
  assert.equal(await told(stream), "e/0=nil@3, 4");
});

test("ELECT-29: a leader whose last change lies before the compaction is still observed", async (t) => {
  const { client } = await start(t);
  await client.put("e/1", "one");
  await client.put("elsewhere");
  await client.put("elsewhere");
  await client.compact(4);
  const stream = await observe(client);
  assert.equal(await told(stream), "e/1=one@2, 4");
  await client.put("e/1", "uno");
  assert.equal(await told(stream), "e/1=uno@5, 5");
});

test("ELECT-30: a client that cancels leaves nothing behind", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  const waiting = await observe(client);
  await client.put("e/1");
  const following = await observe(client);
  await following.next();
  // Both follow the same leader, and so together.
  assert.equal(services.replica.watches.watcherCount, 1);
  waiting.call.cancel();
  following.call.cancel();
  assert.equal((await following.ended()).code, StatusCode.cancelled);
  await until(() => services.context.openCalls.size === 0);
  assert.equal(services.replica.watches.watcherCount, 0);
});

test("ELECT-25, ELECT-30: a slow observer loses nothing, unless compaction overtakes it: then its stream ends well", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  const observers = await Promise.all([services.connect(), services.connect()]);
  await client.put("e/1", "0".padEnd(1_000, "."));
  const [patient, overtaken] = await Promise.all(observers.map(observe));
  for (const stream of [patient!, overtaken!]) stream.call.pause();
  await until(() => services.streams.length === 2);
  while (services.streams.some(({ congested }) => !congested)) {
    await Promise.all(Array.from({ length: 100 }, () => client.put("e/1", "x".repeat(1_000))));
  }
  await client.put("e/1", "missed unless patient");
  const revision = await client.revision();
  patient!.call.resume();
  for (let expected = 2; expected <= revision; expected++) {
    assert.equal((await patient!.next()).kv?.modRevision, expected);
  }
  await client.compact(revision);
  overtaken!.call.resume();
  const { responses, status } = await overtaken!.drain();
  assert.equal(status.code, 0);
  responses.forEach(({ kv }, i) => {
    assert.equal(kv?.modRevision, i + 2);
  });
  assert.ok(responses.length < revision - 1);
  assert.equal(services.context.openCalls.size, 1);
});

test("ELECT-23, LOCK-3: an observer follows many hand-overs without a repeat or a gap", async (t) => {
  const { client, server } = await start(t);
  const stream = await observe(await server.connect());
  const candidates = Array.from({ length: 50 }, async (_, i) => {
    const { leader } = await client.call(electionService.methods.campaign, {
      name: byteString("e"),
      value: Uint8Array.from(Buffer.from(`${i}`)),
    });
    await client.call(electionService.methods.resign, { leader });
    return leader!.rev;
  });
  const leaders = await Promise.all(candidates);
  const seen: number[] = [];
  while (seen.length < 50) seen.push((await stream.next()).kv!.createRevision);
  assert.deepEqual(
    seen,
    [...leaders].sort((a, b) => a - b),
  );
});

test("an observer of a server that stops is told so", async (t) => {
  const { client, server } = await start(t);
  const stream = await observe(client);
  const closed = server.running.close();
  const { wireCode, wireMessage } = etcdErrors.stopped;
  assert.deepEqual(await stream.ended(), { code: wireCode, message: wireMessage });
  await closed;
});
