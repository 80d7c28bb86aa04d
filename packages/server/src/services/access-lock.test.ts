import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  authService,
  type EtcdError,
  electionService,
  etcdErrors,
  leaseService,
  lockService,
} from "@holdfast/protocol";
import { startSecured } from "../testing/secured.js";
import { until } from "../testing/services.js";
import { rejectsAsUnknown } from "../testing/status-error.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import { byteString, bytes, type TestClient } from "../testing/test-client.js";

const auth = authService.methods;
const election = electionService.methods;

/** All that the lock or election `n` takes. */
const all = ["rw", "n/", "n0"] as const;
const name = byteString("n");

function lock(client: TestClient, lease: bigint, signal?: AbortSignal): Promise<unknown> {
  return client.lock("n", lease, signal === undefined ? {} : { signal });
}

test("LOCK-24, LOCK-14: locking takes reading all keys of the name and writing the own one; refusals are UNKNOWN", async (t) => {
  const { anonymous, as, root } = await startSecured(t, {
    ann: [all],
    reader: [["r", "n/", "n0"]],
    writer: [["w", "n/", "n0"]],
    own: [["rw", "n/4"]],
  });
  await root.grant(4n);
  const refused: [TestClient, EtcdError][] = [
    [anonymous, etcdErrors.userEmpty],
    [anonymous.withToken("rubbish"), etcdErrors.invalidAuthToken],
    [await as("reader"), etcdErrors.permissionDenied],
    [await as("writer"), etcdErrors.permissionDenied],
    [await as("own"), etcdErrors.permissionDenied],
  ];
  for (const [client, error] of refused) {
    await rejectsAsUnknown(lock(client, 4n), error);
    await rejectsAsUnknown(lock(client, 0n), error);
  }
  assert.deepEqual(await root.keys("n/"), []);
  assert.equal(await (await as("ann")).lock("n", 4n), "n/4");
  await rejectsAsUnknown((await as("reader")).unlock("n/4"), etcdErrors.permissionDenied);
  await (await as("writer")).unlock("n/4");
});

test("LOCK-24, LOCK-7: no lease is made for a call whose caller may not read the keys of the name", async (t) => {
  const { anonymous, as, root } = await startSecured(t, { writer: [["w", "n/", "n0"]] });
  for (const client of [anonymous, anonymous.withToken("rubbish"), await as("writer")]) {
    await assert.rejects(lock(client, 0n));
    await assert.rejects(client.call(election.campaign, { name }));
  }
  assert.deepEqual((await root.call(leaseService.methods.leaseLeases)).leases, []);
});

test("LOCK-26: each waiter is asked for its own rights, and who lost them meanwhile is passed over", async (t) => {
  const { as, root, services } = await startSecured(t, { ann: [all], bob: [all], eve: [all] });
  for (const id of [1n, 2n, 3n]) await root.grant(id);
  const [ann, bob, eve] = [await as("ann"), await as("bob"), await as("eve")];
  await lock(ann, 1n);
  const waiting = [lock(bob, 2n), lock(eve, 3n)] as const;
  await until(() => services.context.openCalls.size === 2);
  await root.call(auth.userRevokeRole, { name: "bob", role: "bob" });
  const refused = rejectsAsUnknown(waiting[0], etcdErrors.permissionDenied);
  await ann.unlock("n/1");
  await refused;
  await waiting[1];
  assert.deepEqual(await root.keys("n/"), ["n/3"]);
});

test("LOCK-26, AUTH-9: a token that ends while its caller waits does not cost the place", async (t) => {
  const { as, root, services } = await startSecured(t, { ann: [all], bob: [all] });
  for (const id of [1n, 2n]) await root.grant(id, 100_000);
  await lock(await as("ann"), 1n);
  const waiting = lock(await as("bob"), 2n);
  await until(() => services.context.openCalls.size === 1);
  services.time.advance(400_000);
  await (await as("root")).unlock("n/1");
  await waiting;
});

test("LOCK-25, LOCK-15: who goes away while waiting leaves no key, with authentication on too", async (t) => {
  const { as, root, services } = await startSecured(t, { ann: [all], bob: [all] });
  for (const id of [1n, 2n]) await root.grant(id);
  await lock(await as("ann"), 1n);
  const leaving = new AbortController();
  const waiting = assert.rejects(lock(await as("bob"), 2n, leaving.signal));
  await until(() => services.context.openCalls.size === 1);
  // Not even who may no longer delete the key leaves it behind.
  await root.call(auth.userDelete, { name: "bob" });
  leaving.abort();
  await waiting;
  await until(() => services.context.openCalls.size === 0);
  // Applied behind the clean-up.
  await root.put("later");
  assert.deepEqual(await root.keys("n/"), ["n/1"]);
});

test("ELECT-4: elections take the same rights, and refuse in the same way", async (t) => {
  const { anonymous, as, root } = await startSecured(t, { ann: [all], reader: [["r", "n/", "n0"]], bob: [] });
  await root.grant(1n);
  const value = bytes("v");
  const [ann, reader, bob] = [await as("ann"), await as("reader"), await as("bob")];
  const refused: [TestClient, EtcdError][] = [
    [anonymous, etcdErrors.userEmpty],
    [anonymous.withToken("rubbish"), etcdErrors.invalidAuthToken],
    [bob, etcdErrors.permissionDenied],
  ];
  const { leader } = await ann.call(election.campaign, { name, lease: 1n, value });
  for (const [client, error] of refused) {
    await rejectsAsUnknown(client.call(election.campaign, { name, lease: 1n, value }), error);
    await rejectsAsUnknown(client.call(election.leader, { name }), error);
    await rejectsAsUnknown(client.call(election.proclaim, { leader, value }), error);
    await rejectsAsUnknown(client.call(election.resign, { leader }), error);
    await rejectsAsUnknown(client.stream(election.observe, { name }).next(), error);
  }
  await rejectsAsUnknown(reader.call(election.proclaim, { leader, value }), etcdErrors.permissionDenied);
  assert.equal((await reader.call(election.leader, { name })).kv?.key, "n/1");
  await ann.call(election.proclaim, { leader, value });
  await ann.call(election.resign, { leader });
});

test("ELECT-23, LOCK-26: an observer is asked again whenever it looks for the next leader", async (t) => {
  const { as, root } = await startSecured(t, { ann: [all] });
  for (const id of [1n, 2n]) await root.grant(id);
  const { leader } = await root.call(election.campaign, { name, lease: 1n });
  const observing = (await as("ann")).stream(election.observe, { name });
  assert.equal((await observing.next()).kv?.key, "n/1");
  await root.call(election.proclaim, { leader, value: bytes("v") });
  assert.equal((await observing.next()).kv?.version, 2);
  await root.call(auth.roleDelete, { role: "ann" });
  await root.call(lockService.methods.unlock, { key: byteString("n/1") });
  await rejectsAsUnknown(observing.next(), etcdErrors.permissionDenied);
});

test("ELECT-23, AUTH-11: a signed token that a change has voided observes nothing", async (t) => {
  const privateKeyFile = join(temporaryFolder(), "secret");
  writeFileSync(privateKeyFile, "a secret that is long enough for anybody");
  const token = { signMethod: "HS256", privateKeyFile };
  const { as, services } = await startSecured(t, { ann: [all] }, { auth: { token } });
  const [ann, root] = [await as("ann"), await as("root")];
  await root.grant(1n);
  await root.call(election.campaign, { name, lease: 1n });
  assert.equal((await ann.stream(election.observe, { name }).next()).kv?.key, "n/1");
  await root.call(auth.userChangePassword, { name: "ann", password: "new" });
  await rejectsAsUnknown(ann.call(election.leader, { name }), etcdErrors.authOldRevision);
  await rejectsAsUnknown(ann.stream(election.observe, { name }).next(), etcdErrors.authOldRevision);
  assert.equal(services.context.openCalls.size, 1);
});
