/** Broken requests: whatever comes, the server goes on, and nothing of it stays. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { until } from "../../testing/services.js";
import { HttpHarness } from "../testing/http-harness.js";

const body = '{"create_request":{"key":"YQ=="}}';
const upgrade =
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const requests = [
  "POST /v3/kv/put HTTP/1.1\r\nHost: x\r\nContent-Length: 14\r\n\r\n" + '{"key":"YQ=="}',
  `POST /v3/watch HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  'POST /v3/lease/keepalive HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"ID":1}\r\n0\r\n\r\n',
  `GET /v3/watch HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n\x81\x02{}`,
  "POST /h2c HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}",
  "OPTIONS * HTTP/1.1\r\nHost: x\r\nGrpc-Timeout: 5S\r\nAuthorization: Bearer x\r\n\r\n",
];

/** One or more requests, with some bytes cut, doubled or replaced, in pieces. */
const broken = fc
  .tuple(
    fc.array(fc.constantFrom(...requests), { minLength: 1, maxLength: 3 }),
    fc.array(fc.tuple(fc.nat(), fc.nat({ max: 4 }), fc.string({ unit: "binary", maxLength: 3 })), { maxLength: 4 }),
    fc.nat(),
  )
  .map(([parts, edits, cut]) => {
    let text = parts.join("");
    for (const [at, removed, inserted] of edits) {
      const start = at % (text.length + 1);
      text = text.slice(0, start) + inserted + text.slice(start + removed);
    }
    const middle = cut % (text.length + 1);
    return [text.slice(0, middle), text.slice(middle)] as const;
  });

test("mutated requests leave the server as it was", async (t) => {
  const harness = await HttpHarness.start(t);
  const property = fc.asyncProperty(broken, async ([first, second]) => {
    const client = await harness.dial();
    client.send(first);
    await new Promise((resolve) => setImmediate(resolve));
    client.send(second);
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
    client.socket.destroy();
  });
  await fc.assert(property, { numRuns: 500 });
  await until(
    () => harness.http1.connectionCount === 0 && harness.gateway.openCalls === 0 && harness.http1.bodyBytes === 0,
  );
  assert.deepEqual(harness.errors, []);
  assert.equal(harness.services.context.openCalls.size, 0);
  assert.equal((await harness.post("/v3/kv/put", { key: "YQ==" })).status, 200);
});
