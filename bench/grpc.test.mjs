import assert from "node:assert/strict";
import http2 from "node:http2";
import { test } from "node:test";
import { Client, decodeMessage, encodeMessage, encodePut, envelope } from "./grpc.mjs";

test("a message is encoded as the protobuf specification says", () => {
  // Field 1, length-delimited, "k"; field 2 likewise, "vv"; 300 is the specification's own example of a varint.
  assert.equal(encodePut("k", "vv").toString("hex"), "0a016b12027676");
  assert.equal(encodeMessage([[1, 300]]).toString("hex"), "08ac02");
});

test("what was encoded is decoded, numbers above 32 bits included", () => {
  const fields = decodeMessage(
    encodeMessage([
      [1, 2 ** 50 + 1],
      [16, "a"],
      [16, "b"],
    ]),
  );
  assert.deepEqual(fields.get(1), [2 ** 50 + 1]);
  assert.deepEqual(fields.get(16).map(String), ["a", "b"]);
});

test("the envelope says: not compressed, and how long", () => {
  assert.equal(envelope(Buffer.from("abc")).toString("hex"), "0000000003616263");
});

test("a gRPC error is an error although its HTTP status is 200", async (t) => {
  const server = http2.createServer();
  server.on("stream", (stream) => {
    stream.respond({ ":status": 200, "grpc-status": "14", "grpc-message": "not now" }, { endStream: true });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = await Client.connect(server.address().port);
  t.after(() => {
    client.close();
    server.close();
  });
  await assert.rejects(client.range("key"), /gRPC status 14: not now/);
});
