import assert from "node:assert/strict";
import { test } from "node:test";
import { leaseService } from "@holdfast/protocol";
import { callOnce } from "../driver/calls.js";
import type { Connections } from "../load/connections.js";
import { countLeases, grantLeases } from "../load/leases.js";
import { onHoldfast } from "../testing-connections.js";
import { Grants } from "./grants.js";
import { KeptAliveLeases } from "./kept-alive.js";
import { Renewals } from "./renewals.js";

const seconds = 0.05;
const { leaseLeases, leaseRevoke } = leaseService.methods;

/** Ends one lease, whichever. */
async function revokeOne(connections: Connections): Promise<void> {
  const { leases } = await callOnce(connections.at(0), leaseLeases, leaseLeases.request.create());
  await callOnce(connections.at(0), leaseRevoke, leaseRevoke.request.create({ id: leases[0]?.id ?? 0n }));
}

test("grants: as many leases as were counted, and a grant that is not theirs fails the round", () =>
  onHoldfast(async (connections) => {
    const load = new Grants(connections, 10);
    const done = await load.checked(() => load.run(seconds));
    assert.equal(await countLeases(connections), done.operations);
    const round = load.checked(async () => {
      await grantLeases(connections, 1, 60);
      return load.run(seconds);
    });
    await assert.rejects(round, /grants made \d+ leases/);
  }));

test("renewals: every answer counts, and a lost lease fails the round", () =>
  onHoldfast(async (connections) => {
    const load = await Renewals.prepare(connections, 4, 3);
    const { operations, latencies } = await load.run(seconds);
    assert.ok(operations >= 12);
    assert.equal(latencies.total, operations);
    await revokeOne(connections);
    await assert.rejects(load.run(seconds), /lease \d+ was lost/);
  }));

test("leases kept alive: renewed at their pace, missed when lost", () =>
  onHoldfast(async (connections) => {
    const load = await KeptAliveLeases.prepare(connections, { count: 60, streams: 6, ttlSeconds: 9 });
    const { operations } = await load.run(seconds);
    // 60 leases, three times in 9 s.
    assert.equal(operations, Math.ceil((seconds * 60) / 3));
    assert.equal(await load.renewAll(), 0);
    await revokeOne(connections);
    assert.equal(await load.renewAll(), 1);
    load.close();
  }));
