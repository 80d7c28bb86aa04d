// Watches over the gateway: one answer per line of a body that does not end.

import { check, equal } from "./check.mjs";
import { ask, b64, call, fromB64, stream } from "./curl.mjs";
import { endOf, put, revisionOf } from "./kv.mjs";

export async function checkWatch() {
  await check("watch: lines as they happen, with previous values", live);
  await check("watch: from a past revision, with a filter", past);
  await check("watch: a compacted start is cancelled with the compact revision", compacted);
  await check("watch: progress on request", progress);
  await check("watch: made again after a cut, every event exactly once", resumed);
}

/** A watch of a prefix that has been created. */
async function watch(prefix, create = {}, options = {}) {
  const request = { create_request: { key: b64(prefix), range_end: endOf(prefix), ...create } };
  const lines = stream("/v3/watch", request, options);
  const { result } = await lines.next();
  equal("created", result.created, true);
  return lines;
}

function textOf(prefix, { type = "PUT", kv, prev_kv: previous }) {
  const was = previous === undefined ? "" : ` was ${fromB64(previous.value)}`;
  return `${type} ${fromB64(kv.key).slice(prefix.length)}=${fromB64(kv.value)}${was}`;
}

async function events(prefix, lines, count) {
  const texts = [];
  while (texts.length < count) {
    const { result } = await lines.next();
    texts.push(...result.events.map((event) => textOf(prefix, event)));
  }
  return texts;
}

async function live(prefix) {
  const lines = await watch(prefix, { prev_kv: true });
  await put(`${prefix}a`, "1");
  equal("first", await events(prefix, lines, 1), ["PUT a=1"]);
  await put(`${prefix}a`, "2");
  await ask("/v3/kv/deleterange", { key: b64(`${prefix}a`) });
  equal("then", await events(prefix, lines, 2), ["PUT a=2 was 1", "DELETE a= was 2"]);
  lines.end();
}

async function past(prefix) {
  const first = revisionOf(await put(`${prefix}a`, "1"));
  await ask("/v3/kv/deleterange", { key: b64(`${prefix}a`) });
  await put(`${prefix}a`, "2");
  const lines = await watch(prefix, { start_revision: first, filters: ["NODELETE"] });
  equal("events", await events(prefix, lines, 2), ["PUT a=1", "PUT a=2"]);
  lines.end();
}

async function compacted(prefix) {
  const first = revisionOf(await put(`${prefix}a`, "1"));
  const last = revisionOf(await put(`${prefix}a`, "2"));
  await ask("/v3/kv/compaction", { revision: last });
  const lines = await watch(prefix, { startRevision: String(first) });
  const { result } = await lines.next();
  equal("answer", [result.canceled, result.compact_revision], [true, String(last)]);
  lines.end();
}

async function progress(prefix) {
  const now = revisionOf(await put("curl/elsewhere", "1"));
  const create = { create_request: { key: b64(prefix), range_end: endOf(prefix) } };
  const lines = stream("/v3/watch", `${JSON.stringify(create)}\n{"progress_request":{}}\n`);
  equal("created", (await lines.next()).result.created, true);
  const { result } = await lines.next();
  equal("progress", [result.events, Number(result.header.revision) >= now], [undefined, true]);
  lines.end();
}

/** A script goes on behind the last revision it has seen. */
async function resumed(prefix) {
  const proxied = { url: `http://${process.env.HOLDFAST_PROXY_ENDPOINT}` };
  let next = revisionOf(await put(`${prefix}begin`, "v"));
  const want = ["PUT begin=v"];
  const seen = [];
  const add = ({ result }) => {
    seen.push(...result.events.map((event) => textOf(prefix, event)));
    next = Number(result.events.at(-1).kv.mod_revision) + 1;
  };
  for (const round of [0, 1]) {
    const lines = await watch(prefix, { start_revision: next }, proxied);
    for (let i = 0; i < 5; i += 1) {
      await put(`${prefix}${round}-${i}`, "v");
      want.push(`PUT ${round}-${i}=v`);
    }
    add(await lines.next());
    equal("the cut", (await call("/cut", "", { url: process.env.HOLDFAST_CONTROL_URL })).status, 200);
    await drain(lines, add);
    await put(`${prefix}${round}-cut`, "v");
    want.push(`PUT ${round}-cut=v`);
  }
  const lines = await watch(prefix, { start_revision: next }, proxied);
  while (seen.length < want.length) {
    add(await lines.next());
  }
  equal("events", seen, want);
  lines.end();
}

/** Takes what had arrived before the cut; the cut itself shows as the end. */
async function drain(lines, add) {
  for (;;) {
    let answer;
    try {
      answer = await lines.next();
    } catch {
      return;
    }
    add(answer);
  }
}
