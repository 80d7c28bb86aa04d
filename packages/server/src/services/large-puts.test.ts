/** Large values, whose requests are gathered in memory that is used again as soon as a put was handed on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { kvService, lentBytesMin } from "@holdfast/protocol";
import type { Method, ServerCall } from "@holdfast/transport";
import { Services } from "../testing/services.js";
import { byteString } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";
import { kvMethods } from "./kv.js";

const { put, range } = kvService.methods;

/** A call that owns its request, and takes what is answered. */
function callFor(): ServerCall {
  const call = { path: put.path, ended: false, ownsRequest: true, metadata: { get: () => undefined }, peer: {} };
  return {
    ...call,
    reply() {},
    end: (status: unknown) => assert.fail(JSON.stringify(status)),
  } as unknown as ServerCall;
}

function isPut(method: Method): method is Extract<Method, { kind: "unary" | "serverStream" }> {
  return method.path === put.path;
}

// From the shortest that is not copied when it is read.
for (const length of [lentBytesMin, lentBytesMin + 1, 100_000]) {
  test(`nothing of a put of ${length} bytes refers to its request once it was handed on`, async (t) => {
    const services = await Services.start(t);
    const method = kvMethods(services.context).find(isPut);
    assert.ok(method?.keepsNothing);
    const [key, value] = [byteString("k"), Buffer.alloc(length, 1)];
    const bytes = put.request.encode(put.request.create({ key, value }));
    method.handle(bytes, callFor());
    bytes.fill(0xff);
    const client = await services.connect();
    await client.put("after");
    const { kvs } = await client.call(range, { key });
    assert.deepEqual(Buffer.from(kvs[0]!.value), value);
  });
}

test("every large value is what was put, with many of them on their way at once on several connections", async (t) => {
  const { server } = await start(t);
  const clients = await Promise.all(Array.from({ length: 4 }, () => server.connect()));
  const lengths = [70_000, 20_000, 300_000, 1_000_000, 66_000, 5_000];
  const valueFor = (n: number): Buffer => Buffer.alloc(lengths[n % lengths.length]!, `value ${n} `);
  const count = 72;
  for (let first = 0; first < count; first += 24) {
    const puts = Array.from({ length: 24 }, (_, n) => {
      const fields = { key: byteString(`${first + n}`), value: valueFor(first + n) };
      return clients[n % clients.length]!.call(put, fields);
    });
    await Promise.all(puts);
  }
  for (let n = 0; n < count; n++) {
    const { kvs } = await clients[0]!.call(range, { key: byteString(`${n}`) });
    assert.ok(valueFor(n).equals(kvs[0]!.value), `value ${n}`);
  }
});
