import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AnyMethodDescriptor,
  cancelReasons,
  createLeaderKey,
  createPutRequest,
  createRequestOp,
  createWatchCreateRequest,
  type EtcdError,
  etcdErrors,
  kvService,
  type MethodDescriptor,
  methodsByPath,
  StatusCode,
  type WatchResponse,
  watchService,
} from "@holdfast/protocol";
import type { Status } from "@holdfast/transport";
import { startSecured } from "../testing/secured.js";
import { StatusError } from "../testing/status-error.js";
import { byteString, type TestClient } from "../testing/test-client.js";

type Verdict = "through" | "user empty" | "invalid token" | "denied";

/** AUTH-20, told again from the rules: what is in none of these takes role `root`, or rights that the powerless lack. */
const needsNothing = [
  "/etcdserverpb.Auth/Authenticate",
  "/grpc.health.v1.Health/Check",
  "/grpc.health.v1.Health/List",
  "/grpc.health.v1.Health/Watch",
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
];
const needsNoBadToken = ["/etcdserverpb.Auth/AuthStatus"];
const needsAnyUser = [
  "/etcdserverpb.Lease/LeaseGrant",
  "/etcdserverpb.Cluster/MemberList",
  "/etcdserverpb.Maintenance/Status",
  "/etcdserverpb.Maintenance/Alarm",
];

/** Switches authentication off when it succeeds. */
const lastPath = "/etcdserverpb.Auth/AuthDisable";

const key = byteString("k");
const lease = 5n;
const leader = createLeaderKey({ name: key, key: byteString("k/5"), rev: 1, lease });

/** Fields with which a request passes the checks of its shape, and is about something that others have made. */
const fields: Record<string, Record<string, unknown>> = {
  "/etcdserverpb.KV/Range": { key },
  "/etcdserverpb.KV/RangeStream": { key },
  "/etcdserverpb.KV/Put": { key },
  "/etcdserverpb.KV/DeleteRange": { key },
  "/etcdserverpb.KV/Txn": { success: [createRequestOp({ requestPut: createPutRequest({ key }) })] },
  "/etcdserverpb.Watch/Watch": { createRequest: createWatchCreateRequest({ key }) },
  "/etcdserverpb.Lease/LeaseRevoke": { id: lease },
  "/etcdserverpb.Lease/LeaseKeepAlive": { id: lease },
  "/etcdserverpb.Lease/LeaseTimeToLive": { id: lease, keys: true },
  // One without a name would be refused with the same words as a caller without one.
  "/etcdserverpb.Auth/UserAdd": { name: "new", password: "new" },
  "/etcdserverpb.Auth/UserGet": { name: "root" },
  "/etcdserverpb.Auth/RoleGet": { role: "root" },
  "/v3lockpb.Lock/Lock": { name: byteString("lock") },
  "/v3lockpb.Lock/Unlock": { key },
  "/v3electionpb.Election/Campaign": { name: byteString("election") },
  "/v3electionpb.Election/Leader": { name: byteString("election") },
  "/v3electionpb.Election/Observe": { name: byteString("election") },
  "/v3electionpb.Election/Proclaim": { leader },
  "/v3electionpb.Election/Resign": { leader },
};

function expected(path: string, needs: readonly string[], otherwise: Verdict): Verdict {
  return needs.includes(path) ? "through" : otherwise;
}

test("AUTH-20, GEN-9: every method, called by nobody, with a bad token, by a user without rights, and by root", async (t) => {
  const { root, anonymous, as } = await startSecured(t, { powerless: [] });
  const putKey = async (): Promise<unknown> => root.call(kvService.methods.put, { key, lease });
  await root.grant(lease);
  await putKey();
  const powerless = await as("powerless");
  const bad = anonymous.withToken("abcdefghijklmnop.7");
  const paths = [...methodsByPath.keys()].filter((path) => path !== lastPath);
  for (const path of [...paths, lastPath]) {
    const method = methodsByPath.get(path) as AnyMethodDescriptor;
    const forNobody = [...needsNothing, ...needsNoBadToken];
    assert.equal(await verdict(method, anonymous), expected(path, forNobody, "user empty"), `nobody: ${path}`);
    assert.equal(await verdict(method, bad), expected(path, needsNothing, "invalid token"), `bad token: ${path}`);
    const forAll = [...forNobody, ...needsAnyUser];
    assert.equal(await verdict(method, powerless), expected(path, forAll, "denied"), `powerless: ${path}`);
    assert.equal(await verdict(method, root), "through", `root: ${path}`);
    // What root has just taken away is there again.
    if (path === "/etcdserverpb.Lease/LeaseRevoke") await root.grant(lease);
    if (path !== lastPath) await putKey();
  }
});

function verdict(method: AnyMethodDescriptor, client: TestClient): Promise<Verdict> {
  const request = fields[method.path] ?? {};
  if (method.kind === "unary") return ofUnary(method, client, request);
  return method.path === watchService.methods.watch.path ? ofWatch(client, request) : ofStream(method, client, request);
}

async function ofUnary(method: AnyMethodDescriptor, client: TestClient, request: object): Promise<Verdict> {
  try {
    await client.call(method as MethodDescriptor<unknown, unknown, "unary">, request);
    return "through";
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    return ofStatus(method, { code: error.code, message: error.text });
  }
}

async function ofWatch(client: TestClient, request: object): Promise<Verdict> {
  const stream = client.open(watchService.methods.watch);
  stream.send(request);
  const { cancelReason }: WatchResponse = await stream.next();
  stream.call.cancel();
  if (cancelReason === cancelReasons.userEmpty) return "user empty";
  if (cancelReason === cancelReasons.invalidAuthToken) return "invalid token";
  return cancelReason === cancelReasons.permissionDenied ? "denied" : "through";
}

/** A stream that has begun to answer was let through. */
async function ofStream(method: AnyMethodDescriptor, client: TestClient, request: object): Promise<Verdict> {
  const stream = client.open(method as MethodDescriptor<object, unknown, "bidi">);
  stream.send(request);
  stream.call.halfClose();
  const status = await Promise.race([stream.ended(), stream.opened().then(() => undefined)]);
  stream.call.cancel();
  return status === undefined ? "through" : ofStatus(method, status);
}

const refusals: readonly (readonly [EtcdError, Verdict])[] = [
  [etcdErrors.userEmpty, "user empty"],
  [etcdErrors.invalidAuthToken, "invalid token"],
  [etcdErrors.permissionDenied, "denied"],
];

function ofStatus({ service, path }: AnyMethodDescriptor, { code, message }: Status): Verdict {
  const refusal = refusals.find(([error]) => error.wireMessage === message);
  if (refusal === undefined) return "through";
  const [error, verdict] = refusal;
  const isForwarded = service === "v3lockpb.Lock" || service === "v3electionpb.Election";
  assert.equal(code, isForwarded ? StatusCode.unknown : error.wireCode, path);
  return verdict;
}
