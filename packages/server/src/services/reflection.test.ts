import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  StatusCode,
  serverReflectionService,
  services,
} from "@holdfast/protocol";
import protobuf from "protobufjs";
import descriptor from "protobufjs/ext/descriptor.js";
import type { TestClient } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";

const { serverReflectionInfo } = serverReflectionService.methods;
const older = { ...serverReflectionInfo, path: "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo" };

async function ask(
  client: TestClient,
  question: Partial<ServerReflectionRequest>,
  method = serverReflectionInfo,
): Promise<ServerReflectionResponse> {
  const stream = client.open(method);
  stream.send({ host: "here", ...question });
  const answer = await stream.next();
  stream.call?.halfClose();
  assert.equal((await stream.ended()).code, StatusCode.ok);
  return answer;
}

/** What a client makes of the files it was sent. */
function rootOf(answer: ServerReflectionResponse): protobuf.Root {
  const files = answer.fileDescriptorResponse?.fileDescriptorProto ?? [];
  const file = files.map((bytes) => descriptor.FileDescriptorProto.decode(bytes));
  const set = descriptor.FileDescriptorSet.encode({ file }).finish();
  const root = protobuf.Root.fromDescriptor(set);
  root.resolveAll();
  return root;
}

test("reflection lists every service, under the stable and the older path", async (t) => {
  const { client } = await start(t);
  const expected = Object.values(services).map(({ name }) => name);
  for (const method of [serverReflectionInfo, older]) {
    const answer = await ask(client, { listServices: "*" }, method);
    const names = answer.listServicesResponse?.service.map(({ name }) => name);
    assert.deepEqual(names, [...expected].sort());
    assert.deepEqual([answer.validHost, answer.originalRequest?.host], ["here", "here"]);
  }
});

test("reflection gives every service's file with all it needs to be understood", async (t) => {
  const { client } = await start(t);
  for (const service of Object.values(services)) {
    const root = rootOf(await ask(client, { fileContainingSymbol: service.name }));
    const found = root.lookupService(service.name);
    for (const { method, request, kind } of Object.values(service.methods)) {
      const described = found.methods[method];
      assert.ok(described !== undefined, `${service.name}/${method}`);
      assert.equal(root.lookupType(described.requestType).fullName, `.${request.typeName}`);
      assert.equal(described.requestStream === true, kind === "bidi", method);
      assert.equal(described.responseStream === true, kind !== "unary", method);
    }
  }
});

test("reflection describes messages as they are on the wire", async (t) => {
  const { client } = await start(t);
  const root = rootOf(await ask(client, { fileContainingSymbol: "etcdserverpb.TxnRequest" }));
  const type = root.lookupType("etcdserverpb.PutRequest");
  const { request } = services.kv.methods.put;
  const bytes = type.encode({ key: Buffer.from("k"), value: Buffer.from("v"), lease: 7, prevKv: true }).finish();
  const message = request.decode(bytes);
  assert.deepEqual([message.key, message.lease, message.prevKv], ["k", 7n, true]);
});

test("reflection finds files by name, and by a method, an enum or a field in them", async (t) => {
  const { client } = await start(t);
  for (const question of [
    { fileByFilename: "etcdserverpb/rpc.proto" },
    { fileContainingSymbol: "etcdserverpb.KV.Put" },
    { fileContainingSymbol: "etcdserverpb.RangeRequest.SortOrder" },
    { fileContainingSymbol: "etcdserverpb.RangeRequest.key" },
  ]) {
    const root = rootOf(await ask(client, question));
    assert.ok(root.lookupType("etcdserverpb.RangeRequest"), JSON.stringify(question));
  }
});

test("reflection answers what it cannot find with an error of its own, and goes on", async (t) => {
  const { client } = await start(t);
  const stream = client.open(serverReflectionInfo);
  const questions: [Partial<ServerReflectionRequest>, number][] = [
    [{ fileByFilename: "none.proto" }, StatusCode.notFound],
    [{ fileContainingSymbol: "none.Such" }, StatusCode.notFound],
    [{ allExtensionNumbersOfType: "none.Such" }, StatusCode.notFound],
    [
      { fileContainingExtension: { containingType: "etcdserverpb.PutRequest", extensionNumber: 1 } },
      StatusCode.notFound,
    ],
    [{}, StatusCode.invalidArgument],
  ];
  for (const [question, code] of questions) {
    stream.send(question);
    assert.equal((await stream.next()).errorResponse?.errorCode, code);
  }
  stream.send({ allExtensionNumbersOfType: "etcdserverpb.PutRequest" });
  assert.deepEqual((await stream.next()).allExtensionNumbersResponse?.extensionNumber, []);
});
