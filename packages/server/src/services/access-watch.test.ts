import assert from "node:assert/strict";
import { test } from "node:test";
import { authService, cancelReasons } from "@holdfast/protocol";
import { startSecured } from "../testing/secured.js";
import { create, events, openWatch, sendCreate } from "../testing/watching.js";

const auth = authService.methods;

test("WATCH-10: a watch that is not permitted is refused on the stream, which stays usable", async (t) => {
  const { as, root } = await startSecured(t, { ann: [["r", "a"]] });
  const ann = await as("ann");
  const stream = openWatch(ann);
  const { header, watchId, created, canceled, cancelReason } = await create(stream, "b");
  assert.deepEqual([watchId, created, canceled, cancelReason], [-1n, true, true, cancelReasons.permissionDenied]);
  assert.equal(header?.revision, 1);
  assert.equal((await create(stream, "a")).canceled, false);
  await root.put("a", "1");
  assert.deepEqual(await events(stream, 1), ["a=1@2"]);
});

test("WATCH-10: each reason in etcd's words", async (t) => {
  const { anonymous, as } = await startSecured(t, { ann: [] });
  const reasons = [
    [anonymous, cancelReasons.userEmpty],
    [anonymous.withToken("rubbish"), cancelReasons.invalidAuthToken],
    [await as("ann"), cancelReasons.permissionDenied],
  ] as const;
  for (const [client, reason] of reasons) assert.equal((await create(openWatch(client), "a")).cancelReason, reason);
});

test("WATCH-11: rights are looked at when the watch is created, and not again", async (t) => {
  const { as, root } = await startSecured(t, { ann: [["r", "a"]] });
  const stream = openWatch(await as("ann"));
  await create(stream, "a");
  await root.call(auth.userDelete, { name: "ann" });
  await root.put("a", "1");
  assert.deepEqual(await events(stream, 1), ["a=1@2"]);
  assert.equal((await create(stream, "a")).cancelReason, cancelReasons.invalidAuthToken);
});

test("WATCH-12, WATCH-6: an open-ended watch takes the right to all the keys, one without a key to all from the lowest", async (t) => {
  const { as } = await startSecured(t, { ann: [["r", "a"]], bob: [["r", "a", "\0"]], eve: [["r", "\0", "\0"]] });
  const reasonFor = async (name: string, key: string, rangeEnd: string): Promise<string> =>
    (await create(openWatch(await as(name)), key, { rangeEnd })).cancelReason;
  assert.equal(await reasonFor("ann", "a", "\0"), cancelReasons.permissionDenied);
  assert.equal(await reasonFor("bob", "a", "\0"), "");
  assert.equal(await reasonFor("bob", "", "\0"), cancelReasons.permissionDenied);
  assert.equal(await reasonFor("eve", "", "\0"), "");
});

test("ORD-4: negative revision, then permission, then range, then id", async (t) => {
  const { as } = await startSecured(t, { ann: [["r", "a", "c"]] });
  const stream = openWatch(await as("ann"));
  await create(stream, "a", { watchId: 5n });
  sendCreate(stream, "x", { startRevision: -1 });
  sendCreate(stream, "x", { rangeEnd: "b", watchId: 5n });
  sendCreate(stream, "a", { watchId: 5n });
  const reasons = (await stream.take(3)).map(({ cancelReason }) => cancelReason);
  assert.deepEqual(reasons, [cancelReasons.compacted, cancelReasons.permissionDenied, cancelReasons.duplicateId]);
});
