// MAINT-1, MAINT-2 and MAINT-7 to MAINT-12: status, defragmentation, hashes, snapshots, leadership, downgrades.

import { createHash } from "node:crypto";
import type { Answer } from "../answer.js";
import type { CallOptions, Client } from "../client.js";
import type { Divergence } from "../compare.js";
import { eventually, putKeys, readAll, refusals } from "../phrases.js";
import { script } from "../script.js";
import type { Session } from "../session.js";
import type { Request } from "../wire.js";

const maintenance = (client: Client, method: string, request: Request = {}, options?: CallOptions): Promise<Answer> =>
  client.unary(`etcdserverpb.Maintenance/${method}`, request, options);

/** Waits until a server that has just started knows all that Status tells, and puts a key, for there to be a size. */
async function settle(s: Session): Promise<void> {
  const unobserved = "etcd learns its storage version in its own time";
  const ask = (): Promise<Answer> => maintenance(s, "Status", {}, { unobserved });
  await eventually(ask, (status) => status.text("storageVersion") === "3.7.0");
  await s.put("settled", "v");
}

/** The checksums of one history in two encodings; they never change. */
const ownHash = (name: string, etcd: number, holdfast: number): Divergence => {
  return { row: "MAINT-8", at: `${name}.response.hash`, etcd, holdfast };
};

const states = [
  script("MAINT-1", "what Status tells of a single member", async (s) => {
    await settle(s);
    for (const revision of [2, 3]) {
      const status = await maintenance(s, "Status");
      status.shows({
        header: { revision },
        version: "3.7.1",
        storageVersion: "3.7.0",
        isLearner: false,
        errors: [],
        dbSizeQuota: 2_147_483_648,
        downgradeInfo: { enabled: false, targetVersion: "" },
      });
      s.ok(status.number("dbSize") >= status.number("dbSizeInUse"), "what is in use is a part of the whole");
      s.ok(status.number("raftIndex") >= status.number("raftAppliedIndex"), "what is applied has been committed");
      s.equal(status.text("leader"), status.text("header.member_id"));
      s.equal(status.text("raftTerm"), status.text("header.raft_term"));
      await s.put("a", "v");
    }
  }),
  script(
    "MAINT-1",
    "the quota is the configured one",
    async (s) => {
      await settle(s);
      (await maintenance(s, "Status")).shows({ dbSizeQuota: 1_000_000 });
    },
    { args: ["--quota-backend-bytes", "1000000"] },
  ),
  script(
    "MAINT-1",
    "the quota 0 is the default",
    async (s) => {
      await settle(s);
      (await maintenance(s, "Status")).shows({ dbSizeQuota: 2_147_483_648 });
    },
    { args: ["--quota-backend-bytes", "0"] },
  ),
  script(
    "MAINT-1",
    "a quota below 0 is told as it is",
    async (s) => {
      await settle(s);
      (await maintenance(s, "Status")).shows({ dbSizeQuota: -1 });
    },
    { args: ["--quota-backend-bytes=-1"] },
  ),
  script("MAINT-2", "Status names every alarm among the errors", async (s) => {
    const told = async (name: string): Promise<void> => {
      const status = await maintenance(s, "Status", {}, { unobserved: "the spacing of the texts is not stable" });
      const texts = status.message.errors as readonly string[];
      s.observe(name, texts.map((text) => text.replaceAll(/\s+/g, " ").trim()).sort());
    };
    await told("none");
    await maintenance(s, "Alarm", { action: "ACTIVATE", alarm: "NOSPACE" });
    await told("one without a member");
    await maintenance(s, "Alarm", { action: "ACTIVATE", alarm: "CORRUPT", memberID: 5 });
    await told("two");
    await maintenance(s, "Alarm", { action: "DEACTIVATE", alarm: "NOSPACE" });
    await told("one of a member");
    (await maintenance(s, "Alarm")).shows({ alarms: [{ alarm: "CORRUPT" }] });
  }),
  script("MAINT-7", "Defragment changes nothing", async (s) => {
    await putKeys(s, "a", "b", "a");
    await s.grant(600, 7);
    await s.deleteRange("b");
    (await maintenance(s, "Defragment")).shows({ header: null });
    (await readAll(s)).shows({ count: 1, header: { revision: 5 } });
    (await s.range("b", { revision: 3 })).shows({ count: 1 });
    (await s.put("c", "v", { lease: 7 })).shows({ header: { revision: 6 } });
    (await maintenance(s, "Defragment")).shows({ header: null });
    await s.restart();
    (await readAll(s)).shows({ count: 2, header: { revision: 6 } });
  }),
  script(
    "MAINT-8",
    "HashKV tells which revision it hashed, and what is compacted",
    async (s) => {
      await putKeys(s, "a", "b", "a");
      (await maintenance(s, "HashKV", {}, { as: "current" })).shows({ compact_revision: -1, hash_revision: 4 });
      (await maintenance(s, "HashKV", { revision: 3 }, { as: "older" })).shows({
        header: { revision: 4 },
        compact_revision: -1,
        hash_revision: 3,
      });
      (await maintenance(s, "HashKV", { revision: 5 })).refused(...refusals.future);
      (await s.compact(3, { physical: true })).succeeds();
      (await maintenance(s, "HashKV", { revision: 2 })).refused(...refusals.compacted);
      (await maintenance(s, "HashKV", { revision: 3 }, { as: "at the compaction" })).shows({
        compact_revision: -1,
        hash_revision: 3,
      });
      (await maintenance(s, "HashKV", {}, { as: "after it" })).shows({ compact_revision: 3, hash_revision: 4 });
    },
    {
      divergences: [
        ownHash("current", 1_173_829_322, 1_862_753_093),
        ownHash("older", 1_420_856_012, 2_579_271_985),
        ownHash("at the compaction", 1_420_856_012, 2_579_271_985),
        ownHash("after it", 2_331_939_207, 1_862_753_093),
        { row: "MAINT-8", at: "at the compaction.response.compact_revision", etcd: -1, holdfast: 3 },
      ],
    },
  ),
  script("MAINT-8", "equal histories hash equally, others do not", async (s) => {
    const unobserved = "only within one server do hashes compare";
    const hash = async (revision = 0): Promise<string> =>
      (await maintenance(s, "HashKV", { revision }, { unobserved })).text("hash");
    await putKeys(s, "a", "b");
    const early = await hash();
    s.equal(await hash(), early);
    await putKeys(s, "a");
    s.equal(await hash(3), early);
    s.ok((await hash()) !== early, "another history has another hash");
    (await maintenance(s, "Hash", {}, { unobserved })).shows({ header: { revision: 4 } });
    await maintenance(s, "Defragment");
    s.equal(await hash(3), early);
    await s.restart();
    s.equal(await hash(3), early);
    (await s.range("a")).shows({ count: 1 });
  }),
];

/** Takes a snapshot; its pieces, without the header of masks. */
async function snapshotOf(s: Session): Promise<readonly Request[]> {
  const unobserved = "the file is each server's own";
  const stream = s.stream("etcdserverpb.Maintenance/Snapshot", {}, { unobserved });
  const pieces: Request[] = [];
  for (;;) {
    const { message } = await stream.next();
    pieces.push(message as Request);
    if (message.remaining_bytes === 0 && String(message.blob).length === 32) {
      (await stream.end()).succeeds();
      return pieces;
    }
  }
}

const copies = [
  script("MAINT-9", "a snapshot comes in pieces with what remains, and ends with its digest", async (s) => {
    await putKeys(s, "a", "b");
    const pieces = await snapshotOf(s);
    const digest = pieces.at(-1) as Request;
    const data = pieces.slice(0, -1);
    const blobs = data.map(({ blob }) => Buffer.from(String(blob), "latin1"));
    s.ok(
      data.length > 0 && blobs.every((blob) => blob.length > 0 && blob.length <= 32_768),
      "pieces of at most 32 KiB",
    );
    let left = blobs.reduce((sum, { length }) => sum + length, 0);
    for (const [index, blob] of blobs.entries()) {
      left -= blob.length;
      s.equal(data[index]?.remaining_bytes, left);
    }
    s.equal(digest.remaining_bytes, 0);
    const actual = createHash("sha256").update(Buffer.concat(blobs)).digest().toString("latin1");
    s.equal(digest.blob, actual);
    for (const piece of pieces) {
      s.equal(piece.version, "3.7.0");
      s.equal(piece.header, null);
    }
    (await s.put("c", "v")).shows({ header: { revision: 4 } });
  }),
  script("MAINT-9", "a large snapshot has several pieces", async (s) => {
    await s.put("a", "v".repeat(1_000_000));
    const pieces = await snapshotOf(s);
    s.ok(pieces.length > 30, `more than a few pieces, got ${pieces.length}`);
    (await s.put("c", "v")).shows({ header: { revision: 3 } });
  }),
];

const leadership = [
  script("MAINT-10", "the leadership can only be moved to the only member", async (s) => {
    const own = (await s.range("a")).text("header.member_id");
    (await maintenance(s, "MoveLeader", { targetID: own })).shows({ header: null });
    const refused = ["FAILED_PRECONDITION", "etcdserver: bad leader transferee"] as const;
    (await maintenance(s, "MoveLeader", { targetID: 12345 })).refused(...refused);
    (await maintenance(s, "MoveLeader", {})).refused(...refused);
  }),
];

const badTarget = ["INVALID_ARGUMENT", "etcdserver: invalid downgrade target version"] as const;
const badFormat = ["INVALID_ARGUMENT", "etcdserver: wrong downgrade target version format"] as const;
const underWay = ["FAILED_PRECONDITION", "etcdserver: cluster has a downgrade job in progress"] as const;

const downgrades = [
  script("MAINT-11", "only the previous minor version can be gone back to", async (s) => {
    await settle(s);
    const versions = ["3.6", "3.6.0", "3.6.5", "3.6.0-rc.1", "3.6.0+build"];
    for (const version of versions) {
      (await maintenance(s, "Downgrade", { action: "VALIDATE", version }, { as: version })).shows({ version: "3.7" });
    }
    for (const action of ["VALIDATE", "ENABLE"]) {
      for (const version of ["3.7", "3.5", "3.5.9", "2.6", "4.6.0", "3.8"]) {
        const as = `${action} ${version}`;
        (await maintenance(s, "Downgrade", { action, version }, { as })).refused(...badTarget);
      }
      for (const version of ["", "3", "nonsense", "v3.6", "3.6.0.0", "3.x", "3.6 ", "3.6.", "-3.6"]) {
        const as = `${action} "${version}"`;
        (await maintenance(s, "Downgrade", { action, version }, { as })).refused(...badFormat);
      }
    }
    (await maintenance(s, "Downgrade", { action: 7, version: "3.6" })).refused("UNKNOWN", "etcdserver: unknown method");
    (await maintenance(s, "Status")).shows({ downgradeInfo: { enabled: false, targetVersion: "" } });
  }),
  script("MAINT-11", "odd spellings of versions", async (s) => {
    await settle(s);
    for (const version of [
      "03.6",
      "3.06",
      "3.6.00",
      "3.6.0-",
      "3.6.0+",
      "3.6-rc.1",
      "3.6.1-a+b",
      " 3.6",
      "+3.6",
      "3.6.x",
      "3.6.0-a..b",
      "3.6.0-a.",
      "3.6-",
      "3.6.0-+",
    ]) {
      await maintenance(s, "Downgrade", { action: "VALIDATE", version }, { as: version });
    }
    (await maintenance(s, "Status")).shows({ downgradeInfo: { enabled: false } });
  }),
  script("MAINT-11", "a downgrade under way excludes another", async (s) => {
    await settle(s);
    (await maintenance(s, "Downgrade", { action: "ENABLE", version: "3.6.2" })).shows({ version: "3.7" });
    (await maintenance(s, "Status")).shows({ downgradeInfo: { enabled: true, targetVersion: "3.6.0" } });
    (await maintenance(s, "Downgrade", { action: "ENABLE", version: "3.6" })).refused(...underWay);
    (await maintenance(s, "Downgrade", { action: "VALIDATE", version: "3.6" })).refused(...underWay);
    (await maintenance(s, "Downgrade", { action: "VALIDATE", version: "3.5" })).refused(...badTarget);
    (await maintenance(s, "Downgrade", { action: "VALIDATE", version: "x" })).refused(...badFormat);
    (await maintenance(s, "Downgrade", { action: "CANCEL" })).shows({ version: "3.7" });
    (await maintenance(s, "Status")).shows({ downgradeInfo: { enabled: false, targetVersion: "" } });
    (await maintenance(s, "Downgrade", { action: "VALIDATE", version: "3.6" })).succeeds();
    (await s.put("a", "v")).shows({ header: { revision: 3 } });
  }),
  script("MAINT-12", "with no downgrade under way, cancelling one succeeds", async (s) => {
    (await maintenance(s, "Downgrade", { action: "CANCEL" })).shows({ header: { revision: 1 }, version: "3.7" });
    (await maintenance(s, "Downgrade", { action: "CANCEL", version: "nonsense" })).shows({ version: "3.7" });
  }),
];

/** The scripts of this section. */
export const scripts = [...states, ...copies, ...leadership, ...downgrades];
