import assert from "node:assert/strict";
import { test } from "node:test";
import type { LeaseRecord } from "@holdfast/state-machine";
import { Leases } from "./leases.js";
import { defaultReplicaLimits } from "./limits.js";
import { ManualEnvironment } from "./testing/manual-environment.js";

test("F14, LEASE-12, LEASE-41, LIMIT expirySlice: a quarter of a million leases that are due in one tick all end, in slices", () => {
  const environment = new ManualEnvironment();
  const ended = new Set<bigint>();
  let open = 0;
  let openMost = 0;
  const settle: Array<() => void> = [];
  const leases: Leases = new Leases({
    environment,
    limits: defaultReplicaLimits,
    keysOf: () => 0,
    expire: (command, done) => {
      if (command.kind !== "leaseExpire") return;
      const { leaseId, grantNumber } = command;
      openMost = Math.max(openMost, ++open);
      settle.push(() => {
        open--;
        ended.add(leaseId);
        leases.observe([{ kind: "ended", leaseId, grantNumber }]);
        done("applied");
      });
    },
  });
  const count = 250_000;
  const records: LeaseRecord[] = Array.from({ length: count }, (_, i) => ({
    leaseId: BigInt(i + 1),
    ttlSeconds: 2,
    grantNumber: i + 1,
    keys: new Set(),
  }));
  leases.start(records);
  environment.advance(2_200);
  while (settle.length > 0) {
    for (const done of settle.splice(0)) done();
    environment.runDeferred();
  }
  assert.deepEqual([ended.size, openMost], [count, defaultReplicaLimits.expirySlice]);
  assert.deepEqual(leases.bySoonest(), []);
  leases.stop();
});

test("F14, LIMIT expiryKeys: fewer leases end together when they have many keys", () => {
  const environment = new ManualEnvironment();
  const ended: bigint[] = [];
  let open: (() => void)[] = [];
  const leases = new Leases({
    environment,
    limits: { ...defaultReplicaLimits, expiryKeys: 100 },
    keysOf: () => 40,
    expire: (command, done) => {
      if (command.kind !== "leaseExpire") return;
      open.push(() => {
        ended.push(command.leaseId);
        leases.observe([{ kind: "ended", leaseId: command.leaseId, grantNumber: command.grantNumber }]);
        done("applied");
      });
    },
  });
  leases.start(
    Array.from({ length: 8 }, (_, i) => ({
      leaseId: BigInt(i + 1),
      ttlSeconds: 2,
      grantNumber: i + 1,
      keys: new Set<never>(),
    })),
  );
  environment.advance(2_200);
  const slices: number[] = [];
  while (open.length > 0) {
    slices.push(open.length);
    const settled = open;
    open = [];
    for (const settle of settled) settle();
    environment.runDeferred();
  }
  assert.deepEqual([slices, ended.length], [[3, 3, 2], 8]);
  leases.stop();
});
