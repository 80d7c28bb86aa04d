// HTTP-4: the streams of the JSON gateway, as lines over HTTP/1.1 and as messages of a WebSocket.

import { createHash } from "node:crypto";
import { base64, post, refusal } from "../gateway.js";
import { script } from "../script.js";
import { authRefusals, badToken, quickPasswords, secure, tokenOf } from "../secured.js";
import type { Session } from "../session.js";
import { openSocket, refusedSocket } from "../web-socket.js";
import type { Message } from "../wire.js";

const key = base64("a");
const path = "/v3/watch";
const create = { create_request: { key } };

const watches = [
  script("HTTP-4", "a watch comes in lines, until the client hangs up", async (s) => {
    const lines = await s.httpLines({ path, body: create });
    (await lines.next()).shows({ result: { header: { revision: "1" }, created: true } });
    await s.put("a", "<v>&");
    (await lines.next()).shows({ result: { events: [{ kv: { key, mod_revision: "2", version: "1" } }] } });
    await s.put("b", "not watched");
    await s.deleteRange("a");
    (await lines.next()).shows({ result: { events: [{ type: "DELETE", kv: { key, mod_revision: "4" } }] } });
    lines.close();
    (await s.put("a", "v")).succeeds();
  }),
  script("HTTP-4", "a watch with several requests in its body", async (s) => {
    const body = [
      { create_request: { key, watch_id: "5", prev_kv: true } },
      { create_request: { key: base64("x"), watch_id: 6 } },
      { cancel_request: { watch_id: "6" } },
      { create_request: { key, watch_id: "5" } },
      { create_request: {} },
    ];
    const lines = await s.httpLines({ path, body: body.map((one) => JSON.stringify(one)).join("\n") });
    const seen: Message[] = [];
    while (seen.length < body.length) {
      seen.push((await lines.next()).message.result as Message);
    }
    s.equal(seen.filter(({ created }) => created === true).length, 4);
    await s.put("a", "1");
    (await lines.next()).shows({ result: { watch_id: "5", events: [{}] } });
    lines.close();
  }),
  script("HTTP-4", "a watch of what is compacted is cancelled in a line", async (s) => {
    await s.put("a", "1");
    await s.put("a", "2");
    await s.compact(3);
    const lines = await s.httpLines({ path, body: { create_request: { key, start_revision: 1 } } });
    (await lines.next()).shows({ result: { created: true } });
    (await lines.next()).shows({ result: { canceled: true, compact_revision: "3" } });
    lines.close();
  }),
  script("HTTP-4", "what cannot be read ends the requests of a watch, not the watch", async (s) => {
    const lines = await s.httpLines({ path, body: `${JSON.stringify(create)}nonsense` });
    (await lines.next()).shows({ result: { created: true } });
    await s.put("a", "1");
    (await lines.next()).shows({ result: { events: [{}] } });
    lines.close();
  }),
];

const keepAlives = [
  script("HTTP-4", "a keepalive answers each request in a line, and ends", async (s) => {
    await s.grant(600, 7);
    const alive = (body: string) => s.httpLines({ path: "/v3/lease/keepalive", body });
    const one = await alive('{"ID":"7"}');
    (await one.next()).shows({ result: { ID: "7", TTL: "600" } });
    s.equal((await one.rest()).length, 0);
    const several = await alive('{"ID":7} {"ID":"99"}\n{"ID":7}');
    (await several.next()).shows({ result: { ID: "7", TTL: "600" } });
    (await several.next()).shows({ result: { ID: "99" } });
    (await several.next()).shows({ result: { ID: "7" } });
    s.equal((await several.rest()).length, 0);
    const none = await alive("{}");
    (await none.next()).shows({ result: { header: {} } });
    s.equal((await none.rest()).length, 0);
  }),
  script("HTTP-4", "a keepalive with nothing in its body, or nonsense", async (s) => {
    await s.grant(600, 7);
    for (const body of ["", " ", "nonsense", '{"ID":"x"}', "[]"]) {
      await post(s, "lease/keepalive", body, { as: `"${body}"` });
    }
    const cut = await s.httpLines({ path: "/v3/lease/keepalive", body: '{"ID":7}nonsense{"ID":7}', as: "cut" });
    (await cut.next()).shows({ result: { ID: "7" } });
    s.equal((await cut.rest()).length, 0);
  }),
];

const serverStreams = [
  script("HTTP-4", "a snapshot comes in lines, the digest last", async (s) => {
    await s.put("a", "v".repeat(200_000));
    const unobserved = "the file is each server's own";
    const { status, text, headers } = await post(s, "maintenance/snapshot", {}, { unobserved });
    s.observe("head", { status, headers: headers as Record<string, string> });
    const lines = text.split("\n");
    s.equal(lines.pop(), "");
    const parts = lines.map((line) => (JSON.parse(line) as { result: Message }).result);
    const blobs = parts.map(({ blob }) => Buffer.from(String(blob), "base64"));
    s.ok(parts.length > 5, `several lines, got ${parts.length}`);
    s.equal(Object.keys(parts[0] ?? {}).sort(), ["blob", "remaining_bytes", "version"]);
    const sum = createHash("sha256")
      .update(Buffer.concat(blobs.slice(0, -1)))
      .digest("hex");
    s.equal(blobs.at(-1)?.toString("hex"), sum);
    s.equal(parts.at(-1)?.remaining_bytes, undefined);
  }),
  script("HTTP-4", "an election is observed in lines", async (s) => {
    await s.grant(600, 7);
    const name = base64("e");
    const election = (method: string, request: Record<string, never> | object) =>
      s.unary(`v3electionpb.Election/${method}`, request as never);
    await election("Campaign", { name: "e", lease: 7, value: "1" });
    const lines = await s.httpLines({ path: "/v3/election/observe", body: { name } });
    (await lines.next()).shows({ result: { kv: { key: base64("e/7"), value: base64("1") } } });
    await election("Proclaim", { leader: { name: "e", key: "e/7", rev: 2, lease: 7 }, value: "2" });
    (await lines.next()).shows({ result: { kv: { value: base64("2") } } });
    lines.close();
    for (const body of ["nonsense", '{"name":1}']) {
      const refused = await s.http({ path: "/v3/election/observe", body, unobserved: "the parser's own words" });
      refused.shows(400, { code: 3 });
      s.observe(`head for ${body}`, { status: refused.status, headers: refused.headers as Record<string, string> });
    }
  }),
];

const failures = [
  script(
    "HTTP-4",
    "a stream that fails before its first message, and after it",
    async (s) => {
      await secure(s, { alice: [["READ", "a"]] });
      const alice = await tokenOf(s, "alice");
      const bad = { authorization: badToken };
      const early = (binding: string, headers: Record<string, string>, as: string) =>
        post(s, binding, { ID: 7 }, { headers, as });
      (await early("lease/keepalive", bad, "keepalive with a bad token")).shows(401, {
        error: refusal(16, authRefusals.badToken[1]),
      });
      (await early("maintenance/snapshot", {}, "snapshot of nobody")).shows(400, {
        error: refusal(3, authRefusals.userEmpty[1]),
      });
      (await early("maintenance/snapshot", { authorization: alice }, "snapshot of alice")).shows(403, {
        error: refusal(7, authRefusals.denied[1]),
      });
      (await early("maintenance/snapshot", bad, "snapshot with a bad token")).shows(401, {
        error: refusal(16, authRefusals.badToken[1]),
      });
    },
    { args: [...quickPasswords] },
  ),
  script("HTTP-4", "a stream of a client whose version cannot be read", async (s) => {
    const headers = { "grpc-metadata-hasleader": "true" };
    const lines = await s.httpLines({ path, body: create, headers });
    (await lines.next()).shows({ result: { created: true } });
    lines.close();
  }),
];

const sockets = [
  script("HTTP-4", "a watch over a WebSocket", async (s) => {
    const socket = await openSocket(s, "watch", path);
    socket.send(create);
    (await socket.next()).shows({ result: { created: true } });
    await s.put("a", "v");
    (await socket.next()).shows({ result: { events: [{ kv: { key } }] } });
    socket.send({ create_request: { key: base64("b"), watch_id: "9" } });
    (await socket.next()).shows({ result: { watch_id: "9", created: true } });
    await s.put("b", "<&>");
    (await socket.next()).shows({ result: { watch_id: "9", events: [{}] } });
    socket.send({ cancel_request: { watch_id: "9" } });
    (await socket.next()).shows({ result: { watch_id: "9", canceled: true } });
    socket.send({ progress_request: {} });
    (await socket.next()).shows({ result: { header: { revision: "3" } } });
    socket.terminate();
    (await s.put("a", "v")).succeeds();
  }),
  script("HTTP-4", "a keepalive over a WebSocket, in text and in bytes", async (s) => {
    await s.grant(600, 7);
    const socket = await openSocket(s, "keepalive", "/v3/lease/keepalive");
    socket.send({ ID: "7" });
    (await socket.next()).shows({ result: { ID: "7", TTL: "600" } });
    socket.send(Buffer.from('{"ID":7}'));
    (await socket.next()).shows({ result: { ID: "7" } });
    socket.send({ ID: 99 });
    (await socket.next()).shows({ result: { ID: "99" } });
    socket.send('{"ID":7}{"ID":7}');
    (await socket.next()).shows({ result: { ID: "7" } });
    await socket.next();
    socket.terminate();
    (await s.range("a")).shows({ count: 0 });
  }),
  script(
    "HTTP-4",
    "what cannot be read ends a keepalive over a WebSocket",
    async (s) => {
      await s.grant(600, 7);
      const socket = await openSocket(s, "keepalive", "/v3/lease/keepalive");
      socket.send({ ID: "7" });
      (await socket.next()).shows({ result: { ID: "7" } });
      socket.send("nonsense");
      await socket.closed();
      (await s.range("a")).shows({ count: 0 });
    },
    {
      divergences: [{ row: "HTTP-4", at: "keepalive closed.value.code", etcd: 1006, holdfast: 1000 }],
    },
  ),
  script(
    "HTTP-4",
    "who speaks over a WebSocket",
    async (s) => {
      await secure(s, { alice: [["READ", "a"]] });
      const alice = await tokenOf(s, "alice");
      const watch = async (name: string, options: object, allowed: boolean): Promise<void> => {
        const socket = await openSocket(s, name, path, options);
        socket.send(create);
        if (allowed) {
          (await socket.next()).shows({ result: { created: true } });
        } else {
          (await socket.next()).shows({});
        }
        socket.terminate();
      };
      await watch("protocol", { protocols: ["Bearer", alice] }, true);
      await watch("cookie", { headers: { cookie: `token=${alice}` } }, true);
      await watch("header", { headers: { authorization: alice } }, false);
      await watch("nobody", {}, false);
      await watch("bad", { protocols: ["Bearer", badToken] }, false);
      await watch("origin", { protocols: ["Bearer", alice], headers: { origin: "http://elsewhere" } }, true);
      (await s.unary("etcdserverpb.Auth/AuthStatus", {})).shows({ enabled: true });
    },
    { args: [...quickPasswords] },
  ),
  script("HTTP-4", "a WebSocket where there is none", async (s) => {
    for (const other of ["/health", "/nobody", "/"]) {
      const status = await refusedSocket(s, other);
      s.observe(other, status);
      s.ok(status !== 101, "it is refused");
    }
    for (const other of ["/v3/nobody"]) {
      await socketEnd(s, other);
    }
    (await s.range("a")).shows({ count: 0 });
  }),
];

/** What a WebSocket at a path that calls nothing brings. */
async function socketEnd(s: Session, other: string): Promise<void> {
  const socket = await openSocket(s, other, other);
  await socket.next();
  socket.terminate();
}

/** The scripts of this section. */
export const scripts = [...watches, ...keepAlives, ...serverStreams, ...failures, ...sockets];
