import assert from "node:assert/strict";
import http2, { type OutgoingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { RefereeClient } from "./client.js";
import { encodeMessage, envelope } from "./messages.js";

/** A client of a server that answers every call with these bytes and trailers. */
async function clientOf(t: TestContext, data: Buffer, trailers: OutgoingHttpHeaders): Promise<RefereeClient> {
  const server = http2.createServer();
  server.on("stream", (stream) => {
    stream.respond({ ":status": 200 }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers(trailers));
    stream.end(data);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = await RefereeClient.connect((server.address() as AddressInfo).port);
  t.after(() => {
    client.close();
    server.close();
  });
  return client;
}

const header = encodeMessage([[3, 7]]);
const pair = (key: string) =>
  encodeMessage([
    [1, key],
    [5, `value of ${key}`],
  ]);

test("a gRPC error is an error although its HTTP status is 200", async (t) => {
  const client = await clientOf(t, Buffer.alloc(0), { "grpc-status": "14", "grpc-message": "not now" });
  await assert.rejects(client.range("key"), /gRPC status 14: not now/);
});

test("an answer without a status is an error", async (t) => {
  const client = await clientOf(t, envelope(encodeMessage([[1, header]])), {});
  await assert.rejects(client.range("key"), /gRPC status undefined/);
});

test("revision, pairs, count and length of a range are read", async (t) => {
  const answer = envelope(
    encodeMessage([
      [1, header],
      [2, pair("a")],
      [4, 12],
    ]),
  );
  const client = await clientOf(t, answer, { "grpc-status": "0" });
  const { revision, pairs, count, dataBytes } = await client.range("a");
  assert.deepEqual([revision, count, dataBytes], [7, 12, answer.length]);
  assert.deepEqual(
    pairs.map(({ key, value }) => [key, value.toString()]),
    [["a", "value of a"]],
  );
});

test("the chunks of a streamed range are put together; header and count are in the last", async (t) => {
  const chunk = (fields: Parameters<typeof encodeMessage>[0]) => envelope(encodeMessage([[1, encodeMessage(fields)]]));
  const chunks = [
    chunk([[2, pair("a")]]),
    chunk([[2, pair("b")]]),
    chunk([
      [1, header],
      [4, 2],
    ]),
  ];
  const client = await clientOf(t, Buffer.concat(chunks), { "grpc-status": "0" });
  const { revision, pairs, count } = await client.rangeStream("a", { rangeEnd: "z" });
  assert.deepEqual([revision, count, pairs.map(({ key }) => key)], [7, 2, ["a", "b"]]);
});
