// Keys and transactions over the gateway.

import { check, demand, equal } from "./check.mjs";
import { ask, b64, call, fromB64 } from "./curl.mjs";

export async function checkKv() {
  await check("kv: put and get, 64-bit numbers as texts", putAndGet);
  await check("kv: fields in both spellings, numbers in both forms", bothSpellings);
  await check("kv: prefix, order, limit, count, keys only", ranges);
  await check("kv: history at a revision, compaction with its error", history);
  await check("kv: delete one and a prefix", deletion);
  await check("kv: bytes of any value, also in URL-safe base64", anyBytes);
  await check("txn: compare, then, else", transaction);
  await check("txn: nested, and two refusals", nestedTransaction);
}

export const put = (key, value, more = {}) => ask("/v3/kv/put", { key: b64(key), value: b64(value), ...more });
export const revisionOf = ({ header }) => Number(header.revision);

/** A range as "key=value" texts without the prefix. */
export async function values(prefix, name, more = {}) {
  const { kvs = [] } = await ask("/v3/kv/range", { key: b64(prefix + name), ...more });
  return kvs.map(({ key, value }) => `${fromB64(key).slice(prefix.length)}=${fromB64(value)}`);
}

/** The end of the range of all keys with this prefix. */
export const endOf = (prefix) =>
  b64(prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1));

async function putAndGet(prefix) {
  const first = revisionOf(await put(`${prefix}a`, "1"));
  const again = await put(`${prefix}a`, "2", { prev_kv: true });
  equal("previous value", fromB64(again.prev_kv.value), "1");
  const { header, kvs, count } = await ask("/v3/kv/range", { key: b64(`${prefix}a`) });
  demand("the header has its ids as texts", /^\d+$/.test(header.cluster_id) && /^\d+$/.test(header.member_id));
  const want = { create_revision: String(first), mod_revision: String(first + 1), version: "2", value: b64("2") };
  equal("pair", kvs, [{ key: b64(`${prefix}a`), ...want }]);
  equal("count", count, "1");
}

async function bothSpellings(prefix) {
  await put(`${prefix}a`, "1");
  const { prev_kv } = await put(`${prefix}a`, "2", { prevKv: true });
  equal("previous value", fromB64(prev_kv.value), "1");
  const rangeEnd = endOf(prefix);
  equal("rangeEnd", await values(prefix, "", { rangeEnd }), ["a=2"]);
  equal("range_end", await values(prefix, "", { range_end: rangeEnd, limit: "1" }), ["a=2"]);
  equal("order as a name", await values(prefix, "a", { sort_order: "DESCEND", sort_target: "KEY", limit: 1 }), ["a=2"]);
  equal("order as a number", await values(prefix, "a", { sortOrder: 2, sortTarget: 0 }), ["a=2"]);
  equal("an unknown field is passed over", await values(prefix, "a", { nobody_knows: true }), ["a=2"]);
}

async function ranges(prefix) {
  for (const name of ["c", "a", "b", "d"]) {
    await put(prefix + name, `x${name}`);
  }
  const all = { range_end: endOf(prefix) };
  equal("prefix", await values(prefix, "", all), ["a=xa", "b=xb", "c=xc", "d=xd"]);
  equal("downwards", await values(prefix, "", { ...all, sort_order: "DESCEND", limit: 2 }), ["d=xd", "c=xc"]);
  const oldest = { ...all, sort_order: "ASCEND", sort_target: "CREATE", limit: 1 };
  equal("oldest", await values(prefix, "", oldest), ["c=xc"]);
  equal("keys only", await values(prefix, "a", { keys_only: true, serializable: true }), ["a="]);
  const limited = await ask("/v3/kv/range", { key: b64(prefix), ...all, limit: 3 });
  equal("more, count", [limited.more, limited.count], [true, "4"]);
  const counted = await ask("/v3/kv/range", { key: b64(prefix), ...all, count_only: true });
  equal("count only", [counted.count, counted.kvs], ["4", undefined]);
}

async function history(prefix) {
  const first = revisionOf(await put(`${prefix}a`, "1"));
  const second = revisionOf(await put(`${prefix}a`, "2"));
  equal("at the first", await values(prefix, "a", { revision: first }), ["a=1"]);
  equal("as a text", await values(prefix, "a", { revision: String(second) }), ["a=2"]);
  await ask("/v3/kv/compaction", { revision: second, physical: true });
  const old = await call("/v3/kv/range", { key: b64(`${prefix}a`), revision: first });
  const compacted = { code: 11, message: "etcdserver: mvcc: required revision has been compacted" };
  equal("compacted", [old.status, old.json], [400, compacted]);
  const future = await call("/v3/kv/range", { key: b64(`${prefix}a`), revision: second + 1000 });
  const ahead = { code: 11, message: "etcdserver: mvcc: required revision is a future revision" };
  equal("future", [future.status, future.json], [400, ahead]);
}

async function deletion(prefix) {
  for (const name of ["a", "b1", "b2"]) {
    await put(prefix + name, "x");
  }
  const one = await ask("/v3/kv/deleterange", { key: b64(`${prefix}a`), prev_kv: true });
  equal("one", [one.deleted, fromB64(one.prev_kvs[0].key)], ["1", `${prefix}a`]);
  const two = await ask("/v3/kv/deleterange", { key: b64(`${prefix}b`), range_end: endOf(`${prefix}b`) });
  equal("two", two.deleted, "2");
  const none = await ask("/v3/kv/deleterange", { key: b64(`${prefix}a`) });
  equal("a zero is left out", Object.keys(none), ["header"]);
  equal("left", await values(prefix, "", { range_end: endOf(prefix) }), []);
}

async function anyBytes(prefix) {
  const raw = Buffer.concat([Buffer.from(prefix), Buffer.from([0, 255, 254, 251, 240, 128])]);
  await ask("/v3/kv/put", { key: raw.toString("base64"), value: raw.toString("base64") });
  const { kvs } = await ask("/v3/kv/range", { key: raw.toString("base64url") });
  equal("value", kvs[0].value, raw.toString("base64"));
}

async function transaction(prefix) {
  const key = b64(`${prefix}a`);
  const create = (value) => ({
    compare: [{ key, target: "CREATE", result: "EQUAL", create_revision: "0" }],
    success: [{ request_put: { key, value: b64(value) } }],
    failure: [{ requestRange: { key } }],
  });
  const first = await ask("/v3/kv/txn", create("1"));
  equal("succeeded", [first.succeeded, Object.keys(first.responses[0])], [true, ["response_put"]]);
  const second = await ask("/v3/kv/txn", create("2"));
  equal("a false is left out", second.succeeded, undefined);
  equal("read by else", fromB64(second.responses[0].response_range.kvs[0].value), "1");
  const value = { compare: [{ key, target: "VALUE", result: "GREATER", value: b64("0") }] };
  equal("compare of a value", (await ask("/v3/kv/txn", value)).succeeded, true);
}

async function nestedTransaction(prefix) {
  const putOf = (name) => ({ request_put: { key: b64(prefix + name), value: b64("1") } });
  const inner = { request_txn: { success: [putOf("b"), { request_range: { key: b64(`${prefix}a`) } }] } };
  const answer = await ask("/v3/kv/txn", { success: [putOf("a"), inner] });
  const seen = answer.responses[1].response_txn.responses[1].response_range.kvs[0];
  equal("seen inside", fromB64(seen.value), "1");
  const twice = await call("/v3/kv/txn", { success: [putOf("a"), putOf("a")] });
  const duplicate = { code: 3, message: "etcdserver: duplicate key given in txn request" };
  equal("twice", [twice.status, twice.json], [400, duplicate]);
  const many = await call("/v3/kv/txn", { success: Array.from({ length: 129 }, (_, i) => putOf(`m${i}`)) });
  const tooMany = { code: 3, message: "etcdserver: too many operations in txn request" };
  equal("too many", [many.status, many.json], [400, tooMany]);
}
