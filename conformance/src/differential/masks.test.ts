// What the masks hide, and what they keep.

import assert from "node:assert/strict";
import { test } from "node:test";
import { JsonText, Masker, type Observed, TypedMessage } from "./masks.js";
import { type Message, methodNamed } from "./wire.js";

const rangeResponse = methodNamed("etcdserverpb.KV/Range").response;

function masked(observed: Observed): unknown {
  return new Masker("127.0.0.1:2379").mask(observed);
}

function answer(member: string, lease: number | string): Message {
  const header = { cluster_id: "900", member_id: member, revision: 5, raft_term: 2 };
  return { header, kvs: [{ key: "a", lease }], more: false, count: 1 };
}

test("ids become placeholders in the order of their appearance; revisions stay", () => {
  assert.deepEqual(masked(new TypedMessage(rangeResponse, answer("901", 7))), {
    header: { cluster_id: "(id 1)", member_id: "(id 2)", revision: 5, raft_term: "(term 1)" },
    kvs: [{ key: "a", lease: 7 }],
    more: false,
    count: 1,
  });
});

test("who equals whom is kept", () => {
  const messages = ["901", "902", "901"].map((id) => new TypedMessage(rangeResponse, answer(id, 0)));
  const members = (masked(messages) as readonly { header: { member_id: string } }[]).map((one) => one.header.member_id);
  assert.deepEqual(members, ["(id 2)", "(id 3)", "(id 2)"]);
});

test("an id that is not set stays 0", () => {
  const empty = { ...answer("0", 0), header: { cluster_id: 0, member_id: 0, revision: 0, raft_term: 0 } };
  assert.deepEqual((masked(new TypedMessage(rangeResponse, empty)) as Message).header, empty.header);
});

test("a lease the server chose is the same in messages, in the keys of locks and in JSON", () => {
  const lease = "7587890123456789012";
  const hex = BigInt(lease).toString(16);
  const seen = [
    new TypedMessage(rangeResponse, answer("901", lease)),
    `lock/${hex}`,
    new JsonText(`{"lease":"${lease}"}`),
  ];
  const [message, key, json] = masked(seen) as readonly [{ kvs: readonly [{ lease: string }] }, string, string];
  assert.equal(message.kvs[0].lease, "(id 3)");
  assert.equal(key, "lock/(id 3)");
  assert.equal(json, '{"lease":"(id 3)"}');
});

test("JSON keeps its order and all its values but ids; spaces after commas mean nothing", () => {
  const text = '{"header":{"cluster_id":"9","revision":"3"}, "kvs":[{"key":"a, b"}]}';
  assert.equal(masked(new JsonText(text)), text.replace('"9"', '"(id 1)"').replace('}, "', '},"'));
});

test("the server's own address is masked", () => {
  assert.equal(masked("http://127.0.0.1:2379/x"), "http://(endpoint)/x");
});
