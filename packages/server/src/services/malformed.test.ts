import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createWatchCreateRequest,
  electionService,
  etcdErrors,
  kvService,
  leaseService,
  MalformedMessageError,
  type MethodDescriptor,
  type MethodKind,
  StatusCode,
  watchService,
} from "@holdfast/protocol";
import { Services, until } from "../testing/services.js";
import { rejectsAs, rejectsWith } from "../testing/status-error.js";
import { byteString } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";

/** Requests that are no messages: cut off, an impossible wire type, field number 0. */
const garbage = [Uint8Array.of(0x0a, 5, 0x61), Uint8Array.of(0x0f), Uint8Array.of(0x00)];

/** What the decoder has against these bytes. */
function complaint(method: MethodDescriptor<unknown, unknown, MethodKind>, bytes: Uint8Array): string {
  try {
    method.request.decode(bytes);
  } catch (error) {
    if (error instanceof MalformedMessageError) return error.message;
  }
  throw new Error("decoded");
}

test("a malformed unary request is INTERNAL with grpc-go's text, and the connection goes on", async (t) => {
  const { client } = await start(t);
  for (const method of [kvService.methods.put, kvService.methods.range, leaseService.methods.leaseGrant]) {
    for (const bytes of garbage) {
      const text = `grpc: error unmarshalling request: ${complaint(method, bytes)}`;
      await rejectsWith(client.unary(method.path, bytes), StatusCode.internal, text);
    }
  }
  await client.put("a");
});

test("a malformed request of a server stream is INTERNAL with grpc-go's text for streams", async (t) => {
  const { client } = await start(t);
  for (const method of [kvService.methods.rangeStream, electionService.methods.observe]) {
    for (const bytes of garbage) {
      const text = `grpc: failed to unmarshal the received message: ${complaint(method, bytes)}`;
      await rejectsWith(client.unary(method.path, bytes), StatusCode.internal, text);
    }
  }
});

test("a malformed message ends a bidirectional stream as INTERNAL, and nothing of the stream is left behind", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  const ticking = services.time.ticking;
  const watch = await client.watch({ key: byteString("a"), progressNotify: true });
  const keepAlive = client.open(leaseService.methods.leaseKeepAlive);
  keepAlive.send({ id: 1n });
  await keepAlive.next();
  assert.deepEqual([services.context.openCalls.size, services.replica.watches.watcherCount], [2, 1]);
  for (const { stream, method } of [
    { stream: watch, method: watchService.methods.watch },
    { stream: keepAlive, method: leaseService.methods.leaseKeepAlive },
  ]) {
    stream.call.send(Uint8Array.of(0x0f));
    const text = `grpc: failed to unmarshal the received message: ${complaint(method, Uint8Array.of(0x0f))}`;
    assert.deepEqual(await stream.ended(), { code: StatusCode.internal, message: text });
  }
  assert.deepEqual([services.context.openCalls.size, services.replica.watches.watcherCount], [0, 0]);
  assert.equal(services.time.ticking, ticking);
});

test("a cancelled bidirectional stream leaves nothing behind", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  const ticking = services.time.ticking;
  const watch = await client.watch({ key: byteString("a"), progressNotify: true });
  const lost = await services.connect();
  await lost.watch({ key: byteString("a"), progressNotify: true });
  watch.call.cancel();
  lost.grpc.destroy();
  await until(() => services.context.openCalls.size === 0);
  assert.deepEqual([services.replica.watches.watcherCount, services.time.ticking], [0, ticking]);
});

test("fields nobody knows are ignored, in requests and behind them", async (t) => {
  const { client } = await start(t);
  const { put } = kvService.methods;
  const known = put.request.encode(put.request.create({ key: byteString("a"), value: Uint8Array.of(0x31) }));
  const unknown = [0x9a, 0x06, 3, 1, 2, 3, 0xf8, 0x07, 0x7f];
  await client.unary(put.path, Uint8Array.of(...unknown, ...known, ...unknown));
  assert.equal((await client.get("a"))?.version, 1);
});

test("a method or service nobody offers is UNIMPLEMENTED by name", async (t) => {
  const { client } = await start(t);
  const nothing = new Uint8Array();
  const { unimplemented } = StatusCode;
  const cases: Array<[string, string]> = [
    ["/etcdserverpb.KV/Nope", "unknown method Nope for service etcdserverpb.KV"],
    ["/etcdserverpb.KV/put", "unknown method put for service etcdserverpb.KV"],
    ["/nope.Nope/Put", "unknown service nope.Nope"],
  ];
  for (const [path, text] of cases) await rejectsWith(client.unary(path, nothing), unimplemented, text);
});

test("GEN-8: an API version that is not text is refused before anything else, on every kind of call", async (t) => {
  const { client } = await start(t);
  const options = { metadata: [["client-api-version", "3.\xff"]] as const };
  const { invalidClientApiVersion: error } = etcdErrors;
  await rejectsAs(client.call(kvService.methods.put, {}, options), error);
  await rejectsAs(client.unary(kvService.methods.put.path, Uint8Array.of(0x0f), options), error);
  const status = { code: error.wireCode, message: error.wireMessage };
  const ranged = client.stream(kvService.methods.rangeStream, {}, options);
  assert.deepEqual(await ranged.ended(), status);
  const watch = client.open(watchService.methods.watch, options);
  watch.send({ createRequest: createWatchCreateRequest({ key: byteString("a") }) });
  assert.deepEqual(await watch.ended(), status);
});

test("GEN-8: any other API version is only information", async (t) => {
  const { client } = await start(t);
  for (const version of ["3.7.1", "v∞".normalize(), ""]) {
    const metadata = [["client-api-version", Buffer.from(version).toString("latin1")]] as const;
    await client.call(kvService.methods.put, { key: byteString("a") }, { metadata });
  }
  assert.equal((await client.get("a"))?.version, 3);
});

test("GEN-7: a call that asks for a leader is served; one member is its own", async (t) => {
  const { client } = await start(t);
  await client.call(kvService.methods.put, { key: byteString("a") }, { metadata: [["hasleader", "true"]] });
});
