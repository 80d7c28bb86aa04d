/** Who gets what of the room that the log keeps for a full disk (fault-model F6). */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { AppendResult } from "@holdfast/log";
import {
  AlarmType,
  createDeleteRangeRequest,
  createPutRequest,
  createRequestOp,
  createTxnRequest,
} from "@holdfast/protocol";
import type { Command } from "@holdfast/state-machine";
import { defaultReplicaLimits } from "./limits.js";
import { Replica } from "./replica.js";
import { byteString } from "./testing/harness.js";
import { ManualEnvironment } from "./testing/manual-environment.js";
import { ScriptedLog } from "./testing/scripted-log.js";

const keyBytesMax = defaultReplicaLimits.reserveCommandBytes;

/** A replica on a disk that is full, where the reserve has room for `reserveEntries`. */
class FullDisk {
  readonly environment = new ManualEnvironment();
  readonly log = new ScriptedLog();
  #replica: Replica | undefined;
  #isFull = false;
  #reserveLeft = 0;
  readonly #reserveEntries: number;

  constructor(reserveEntries: number) {
    this.#reserveEntries = reserveEntries;
    this.#reserveLeft = reserveEntries;
  }

  /** Lease 7 of 2 s holds key "lock", and there are the keys "k0" to "k99". */
  static async start(t: TestContext, reserveEntries: number): Promise<FullDisk> {
    const disk = new FullDisk(reserveEntries);
    const { log, environment } = disk;
    const replica = await Replica.start({ log, environment, onFatal: assert.ifError });
    disk.#replica = replica;
    t.after(() => replica.close());
    disk.propose({ kind: "leaseGrant", leaseId: 7n, ttlSeconds: 2 });
    disk.propose(put("lock", 7n));
    for (let n = 0; n < 100; n++) disk.propose(put(`k${n}`));
    disk.#isFull = true;
    assert.equal(disk.propose(put("more")), "no-space");
    return disk;
  }

  get replica(): Replica {
    return this.#replica as Replica;
  }

  /** What becomes of a command of a client. */
  propose(command: Command): string {
    let fate = "";
    this.replica.propose(command, {
      settled: ({ kind }) => {
        fate = kind;
      },
      failed: (why) => {
        fate = why;
      },
    });
    this.settle();
    return fate;
  }

  settle(): void {
    do {
      this.environment.runDeferred();
      while (this.log.isBusy) this.log.finish(this.#result());
      this.environment.runDeferred();
    } while (this.log.isBusy);
  }

  /** The log's own rule: of the reserve at least the rest of the share must be left. */
  #result(): AppendResult {
    const stored = { fate: "stored", index: this.log.lastIndex + 1 } as const;
    if (!this.#isFull) return stored;
    const share = this.log.reserveShares.at(-1) as number;
    if (this.#reserveLeft - 1 < this.#reserveEntries * (1 - share)) return { fate: "refused", why: "full" };
    this.#reserveLeft -= 1;
    return stored;
  }
}

function put(key: string, lease = 0n): Command {
  return { kind: "put", request: createPutRequest({ key: byteString(key), lease }) };
}

function remove(key: string): Command {
  return { kind: "deleteRange", request: createDeleteRangeRequest({ key: byteString(key) }) };
}

function removeInTxn(key: string): Command {
  const requestDeleteRange = createDeleteRangeRequest({ key: byteString(key) });
  return { kind: "txn", request: createTxnRequest({ success: [createRequestOp({ requestDeleteRange })] }) };
}

function alarm(action: "activate" | "deactivate", type: number): Command {
  return { kind: "alarm", action, memberId: 8n, alarm: type };
}

test("F6, I14: on a full disk, requests that change nothing are refused and use up nothing of the reserve", async (t) => {
  const disk = await FullDisk.start(t, 8);
  const idle: Command[] = [
    remove("none"),
    removeInTxn("none"),
    { kind: "deleteRange", request: createDeleteRangeRequest({ key: byteString("x"), rangeEnd: byteString("y") }) },
    { kind: "leaseRevoke", leaseId: 99n },
    { kind: "compact", revision: 10_000 },
    alarm("deactivate", AlarmType.NOSPACE),
    alarm("activate", AlarmType.NONE),
    { kind: "userDelete", name: "nobody" },
    { kind: "roleDelete", name: "none" },
    { kind: "authDisable" },
  ];
  for (let round = 0; round < 5; round++) {
    for (const command of idle) assert.equal(disk.propose(command), "no-space", command.kind);
  }
  assert.equal(disk.propose(remove("k0")), "deleteRange");
  assert.equal(disk.propose(remove("k0")), "no-space");
  assert.equal(disk.propose(removeInTxn("k1")), "txn");
  assert.equal(disk.propose({ kind: "compact", revision: 50 }), "compact");
  assert.equal(disk.propose({ kind: "compact", revision: 50 }), "no-space");
});

test("F6, I14, LIMIT reserveShareOfClients: deletes cannot use up what compactions, alarms and the ends of leases need", async (t) => {
  const disk = await FullDisk.start(t, 8);
  let deleted = 0;
  while (disk.propose(remove(`k${deleted}`)) === "deleteRange") deleted += 1;
  assert.equal(deleted, 8 * defaultReplicaLimits.reserveShareOfClients);
  assert.equal(disk.propose({ kind: "compact", revision: 50 }), "compact");
  assert.equal(disk.propose(alarm("activate", AlarmType.NOSPACE)), "alarm");
});

test("F6, I14, LIMIT reserveShareOfUpkeep: compactions cannot use up what the ends of leases need", async (t) => {
  const disk = await FullDisk.start(t, 8);
  let compacted = 0;
  while (disk.propose({ kind: "compact", revision: compacted + 2 }) === "compact") compacted += 1;
  assert.equal(compacted, 8 * defaultReplicaLimits.reserveShareOfUpkeep);
  assert.equal(disk.propose(remove("k0")), "no-space");
  for (let elapsedMs = 0; elapsedMs < 3_000; elapsedMs += 100) {
    disk.environment.advance(100);
    disk.settle();
  }
  assert.deepEqual([disk.replica.machine.leaseCount, disk.replica.machine.get(byteString("lock"))], [0, undefined]);
});

test("F6: what ends a lease goes on where a delete beside it in the same entry may not", async (t) => {
  const disk = await FullDisk.start(t, 8);
  for (let n = 0; n < 4; n++) disk.propose(remove(`k${n}`));
  const told: string[] = [];
  const proposer = { settled: () => told.push("deleted"), failed: (why: string) => told.push(why) };
  disk.replica.propose(remove("k50"), proposer);
  const { grantNumber = 0 } = disk.replica.machine.lease(7n) ?? {};
  disk.replica.proposeInternal(
    { kind: "leaseExpire", leaseId: 7n, grantNumber },
    { settled: () => told.push("ended"), failed: (why) => told.push(why) },
  );
  disk.settle();
  assert.deepEqual(told.sort(), ["ended", "no-space"]);
});

test("F6, LIMIT reserveCommandBytes: one client's long command is refused on a full disk, a short one is not", async (t) => {
  const disk = await FullDisk.start(t, 8);
  const { machine } = disk.replica;
  assert.equal(disk.propose(remove("k0")), "deleteRange");
  const long = createRequestOp({
    requestDeleteRange: createDeleteRangeRequest({ key: byteString("k1".padEnd(keyBytesMax, "x")) }),
  });
  const short = createRequestOp({ requestDeleteRange: createDeleteRangeRequest({ key: byteString("k1") }) });
  const request = createTxnRequest({ success: [short, long] });
  assert.equal(disk.propose({ kind: "txn", request }), "no-space");
  assert.notEqual(machine.get(byteString("k1")), undefined);
});
