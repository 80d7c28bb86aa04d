import assert from "node:assert/strict";
import { test } from "node:test";
import { type ByteString, kvService } from "@holdfast/protocol";
import { defaultClientsConfig } from "./config.js";
import { OutsideResource } from "./outside-resource.js";
import { Recorder } from "./recorder.js";
import { Supplies, taggedValue } from "./supplies.js";
import { ManualWorld } from "./testing/manual-world.js";

const { put } = kvService.methods;
const key = "k" as ByteString;

test("every call has an id and a tag of its own, and its moments in order", () => {
  const recorder = new Recorder(new ManualWorld());
  const tags: string[] = [];
  const begin = (client: string) =>
    recorder.begin("put", { client, connection: 1 }, (tag) => {
      tags.push(tag);
      return put.request.create({ key, value: taggedValue(tag) });
    });
  const first = begin("a");
  const second = begin("b");
  recorder.end(second, { fate: "unknown", code: 14, message: "connection lost" });
  recorder.end(first, { fate: "done", response: put.response.create() });
  assert.deepEqual(tags, ["a-1", "b-2"]);
  assert.deepEqual(
    recorder.calls.map((call) => [call.id, call.client, call.invoked.order, call.ended?.order, call.result?.fate]),
    [
      [1, "a", 1, 4, "done"],
      [2, "b", 2, 3, "unknown"],
    ],
  );
  assert.equal(Buffer.from(first.request.value).toString(), "a-1");
});

test("a call that never ended stays open", () => {
  const recorder = new Recorder(new ManualWorld());
  recorder.begin("put", { client: "a", connection: 1 }, () => put.request.create({ key }));
  assert.equal(recorder.calls[0]?.ended, undefined);
  assert.equal(recorder.calls[0]?.result, undefined);
});

test("the outside resource notes which writes a safe one would have turned away, per name (I5)", () => {
  const recorder = new Recorder(new ManualWorld());
  const resource = new OutsideResource(recorder);
  assert.equal(resource.write("a", "lock", 5), true);
  assert.equal(resource.write("b", "lock", 9), true);
  assert.equal(resource.write("a", "lock", 5), false);
  assert.equal(resource.write("a", "other", 5), true);
  assert.equal(resource.write("b", "lock", 9), true);
  assert.deepEqual(
    recorder.resourceWrites.map(({ accepted }) => accepted),
    [true, true, false, true, true],
  );
});

test("lease ids are unique as bigints, although some are equal as numbers (F18)", () => {
  const supplies = new Supplies(defaultClientsConfig);
  const random = new ManualWorld().random("ids");
  const ids = Array.from({ length: 400 }, () => supplies.leaseId(random));
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(new Set(ids.map(Number)).size < ids.length);
  for (const id of ids) assert.equal(BigInt.asIntN(64, id), id);
});

test("keys of the store lie within their interval, outside of all names of locks and elections", () => {
  const supplies = new Supplies({ ...defaultClientsConfig, keys: 10, names: 3 });
  const { key: from, rangeEnd: to } = supplies.allKeys;
  assert.equal(new Set(supplies.keys).size, 10);
  for (const each of supplies.keys) assert.ok(each >= from && each < to, each);
  for (const name of [...supplies.lockNames, ...supplies.electionNames]) assert.ok(name < from || name >= to, name);
});

test("values begin with their tag, however long they are", () => {
  assert.equal(Buffer.from(taggedValue("a-1")).toString(), "a-1");
  assert.equal(Buffer.from(taggedValue("a-1", 5)).toString(), "a-1..");
});
