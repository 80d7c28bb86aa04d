import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AlarmAction,
  AlarmType,
  authService,
  electionService,
  etcdErrors,
  kvService,
  maintenanceService,
} from "@holdfast/protocol";
import { startSecured } from "../testing/secured.js";
import { rejectsAs, rejectsAsUnknown } from "../testing/status-error.js";
import { byteString, putOp, type TestClient } from "../testing/test-client.js";

const auth = authService.methods;
const kv = kvService.methods;

/** Everything that is logged when it is allowed, asked for by somebody who may do none of it. */
function writesOf(client: TestClient, large: string): readonly (readonly [string, () => Promise<void>])[] {
  const denied = etcdErrors.permissionDenied;
  const leader = { name: byteString("n"), key: byteString("n/7"), rev: 1, lease: 7n };
  const raised = { action: AlarmAction.ACTIVATE, memberId: 1n, alarm: AlarmType.NOSPACE };
  return [
    ["put", () => rejectsAs(client.put("a", large), denied)],
    ["put with a foreign lease", () => rejectsAs(client.put("mine", "", 7n), denied)],
    ["deleteRange", () => rejectsAs(client.delete("a"), denied)],
    ["txn", () => rejectsAs(client.call(kv.txn, { success: [putOp("mine"), putOp("a", large)] }), denied)],
    ["compact", () => rejectsAs(client.compact(1), denied)],
    ["leaseRevoke", () => rejectsAs(client.revoke(7n), denied)],
    ["unlock", () => rejectsAsUnknown(client.unlock("a"), denied)],
    ["proclaim", () => rejectsAsUnknown(client.call(electionService.methods.proclaim, { leader }), denied)],
    ["resign", () => rejectsAsUnknown(client.call(electionService.methods.resign, { leader }), denied)],
    ["roleAdd", () => rejectsAs(client.call(auth.roleAdd, { name: "x" }), denied)],
    ["authDisable", () => rejectsAs(client.call(auth.authDisable), denied)],
    ["alarm", () => rejectsAs(client.call(maintenanceService.methods.alarm, raised), denied)],
  ];
}

test("I12, I13: what a user may not do is refused without being logged", async (t) => {
  const { as, root, services } = await startSecured(t, { ann: [["rw", "mine"]] });
  await root.grant(7n);
  await root.put("a", "1", 7n);
  const ann = await as("ann");
  const before = services.replica.machine.appliedCommands;
  const large = "x".repeat(services.context.limits.requestBytes - 1_000);
  for (const [what, refused] of writesOf(ann, large)) {
    await refused();
    assert.equal(services.replica.machine.appliedCommands, before, what);
  }
  await ann.put("mine");
  assert.equal(services.replica.machine.appliedCommands, before + 1);
});

test("I13, ORD-1: the right that is taken away while a write waits for its turn is gone when it comes", async (t) => {
  const { as, root } = await startSecured(t, { ann: [["rw", "mine"]] });
  const ann = await as("ann");
  // One connection, one batch: the revocation is logged before the put, which was let through before it was applied.
  const revoked = root.call(auth.userRevokeRole, { name: "ann", role: "ann" });
  const put = rejectsAs(ann.put("mine", "too late"), etcdErrors.authOldRevision);
  await Promise.all([revoked, put]);
  assert.equal(await root.get("mine"), undefined);
});
