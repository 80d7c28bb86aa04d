import assert from "node:assert/strict";
import { test } from "node:test";
import { CHAT, ECHO, HOLD, TestServer } from "../testing/test-server.js";
import { MethodCounters } from "./method-counters.js";

/** Started, received, sent, and ended calls as "code count". */
function shown({ started, received, sent, endedByCode }: MethodCounters): string {
  const ended = endedByCode.flatMap((count, code) => (count > 0 ? [`${code} ${count}`] : []));
  return `${started} ${received} ${sent} [${ended.join(", ")}]`;
}

function countersOf(server: TestServer, path: string): MethodCounters {
  const found = server.grpc.methodCounters.find((counters) => counters.path === path);
  if (found === undefined) throw new Error(`no method at ${path}`);
  return found;
}

test("calls are counted when they begin and once when they end, messages both ways", async (t) => {
  const ends: string[] = [];
  const server = await TestServer.start({ onCallEnded: (path, openMs) => ends.push(`${path} ${openMs}`) });
  t.after(() => server.stop());
  const client = await server.client();
  const echo = countersOf(server, ECHO);
  await client.unary(ECHO, Buffer.from("four"));
  assert.equal(shown(echo), "1 1 1 [0 1]");
  assert.deepEqual([echo.receivedBytes, echo.sentBytes], [4, 4]);

  const hold = countersOf(server, HOLD);
  const refused = client.unary(HOLD, new Uint8Array(0));
  const call = await server.nextHeld();
  assert.equal(shown(hold), "1 1 0 []");
  call.end({ code: 11, message: "compacted" });
  call.end({ code: 0, message: "again" });
  assert.equal((await refused).status.code, 11);
  assert.equal(shown(hold), "1 1 0 [11 1]");

  const abort = new AbortController();
  const cancelled = client.unary(HOLD, new Uint8Array(0), { signal: abort.signal });
  await server.nextHeld();
  abort.abort();
  await cancelled;
  await client.unary(ECHO, new Uint8Array(0));
  assert.equal(shown(hold), "2 2 0 [1 1, 11 1]");
  assert.deepEqual(ends, [`${ECHO} 0`, `${HOLD} 0`, `${HOLD} 0`, `${ECHO} 0`]);
});

test("each message of a stream is counted", async (t) => {
  const server = await TestServer.start();
  t.after(() => server.stop());
  const client = await server.client();
  const ended = new Promise<void>((resolve) => {
    const call = client.open(CHAT, { message: () => {}, end: () => resolve() });
    for (const text of ["a", "bb", "ccc"]) call.send(Buffer.from(text));
    call.halfClose();
  });
  await ended;
  const chat = countersOf(server, CHAT);
  assert.equal(shown(chat), "1 3 3 [0 1]");
  assert.equal(chat.receivedBytes, 6);
});

test("a status number that gRPC does not know counts as UNKNOWN", () => {
  const counters = new MethodCounters({ kind: "unary", path: "/a.B/C", handle() {} });
  for (const code of [-1, 17, 16]) counters.countEnd(code);
  assert.equal(shown(counters), "0 0 0 [2 2, 16 1]");
});
