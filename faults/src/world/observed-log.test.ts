/** The log of a real server beside what the server said of it, and what a run without it is worth. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type LogEntry, openFileLog } from "@holdfast/log";
import { byteStringFromText, createPutRequest } from "@holdfast/protocol";
import type { Finding, Life } from "@holdfast/simulator";
import { encodeCommand } from "@holdfast/state-machine";
import { digestOfEntries, type FolderContents } from "./data-folder.js";
import { ObservedLog } from "./observed-log.js";
import { undecided } from "./real-run.js";
import { RealWorld } from "./real-world.js";

/** A batch of one command, which puts the text (layout of package replica, `batch.ts`). */
function entry(index: number, text: string): LogEntry {
  const request = createPutRequest({ key: byteStringFromText("key"), value: Buffer.from(text) });
  const command = encodeCommand({ kind: "put", request });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(command.length);
  return { index, epoch: 1, payload: Buffer.concat([Buffer.from([1]), length, command]) };
}

/** What a folder without a snapshot holds. */
function contents(entries: readonly LogEntry[], firstIndex = 1, digest = digestOfEntries(entries)): FolderContents {
  return { firstIndex, entries, snapshotIndex: undefined, digest };
}

function life(number: number): Life {
  const started = { ms: number * 100, order: number * 10 };
  const ended = { ms: number * 100 + 90, order: number * 10 + 9 };
  return { number, started, serving: started, ended, how: "killed", reason: undefined };
}

function observed(): ObservedLog {
  return new ObservedLog("", (ms) => ({ ms, order: ms / 10 }));
}

test("I1: an entry that a server was told is stored, and that is not in the log behind it, is a contradiction", () => {
  const log = observed();
  log.take(
    life(1),
    new Map([
      [1, 150],
      [2, 160],
    ]),
    contents([entry(1, "a")]),
  );
  assert.deepEqual(log.history().logContradictions, ["entry 2 was stored in life 1 and is not in the log behind it"]);
});

test("I1: an entry with other bytes than after an earlier life is a contradiction", () => {
  const log = observed();
  log.take(life(1), new Map(), contents([entry(1, "a")]));
  log.take(life(2), new Map(), contents([entry(1, "b")]));
  assert.match(log.history().logContradictions.join(), /^entry 1 is of epoch 1 after life 2, with other bytes/);
});

test("an entry is known from when the server was told of it, else from the end of the life", () => {
  const log = observed();
  log.take(life(1), new Map([[1, 150]]), contents([entry(1, "a"), entry(2, "b")]));
  log.take(life(2), new Map(), contents([entry(2, "b")], 2));
  const { entries, finalEntries, finalFirstIndex } = log.history();
  assert.deepEqual(
    entries.map(({ at }) => at),
    [
      { ms: 150, order: 15 },
      { ms: 190, order: 18.5 },
    ],
  );
  assert.deepEqual(
    finalEntries.map(({ index, at }) => [index, at.order]),
    [[2, 18.5]],
  );
  assert.equal(finalFirstIndex, 2);
});

test("the log is read from a copy of the folder, with the times that the server took down", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "observed-log-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const stored = await openFileLog({ folder: join(folder, "data") });
  await stored.acquire();
  const index = await new Promise<number>((resolve, reject) => {
    stored.append(entry(1, "a").payload, (result) =>
      result.fate === "stored" ? resolve(result.index) : reject(result),
    );
  });
  await stored.close();
  writeFileSync(join(folder, "told-1"), new Uint8Array(new Float64Array([index, 150]).buffer));
  const log = new ObservedLog(folder, (ms) => ({ ms, order: ms / 10 }));
  await log.read(life(1), join(folder, "data"));
  const { entries, logContradictions } = log.history();
  assert.deepEqual(logContradictions, []);
  assert.deepEqual(
    entries.map(({ payload, at }) => [payload.length > 0, at.ms]),
    [[true, 150]],
  );
});

test("I10: a state that is not what the entries make it shows", () => {
  const log = observed();
  log.take(life(1), new Map(), contents([entry(1, "a")]));
  log.take(life(2), new Map(), contents([entry(1, "a"), entry(2, "b")], 1, "other"));
  const [pure, asLeft, pureLater, other] = log.history().digests;
  assert.equal(asLeft?.digest, pure?.digest);
  assert.equal(other?.index, pureLater?.index);
  assert.notEqual(other?.digest, pureLater?.digest);
});

test("a time of the monotonic clock lies between the moments before and after it", () => {
  const world = new RealWorld(1);
  const before = world.moment();
  const monotonicMs = Number(process.hrtime.bigint()) / 1e6;
  const after = world.moment();
  const { order } = world.momentAt(monotonicMs);
  assert.ok(before.order < order && order < after.order, `${before.order}, ${order}, ${after.order}`);
});

test("a run of which a check has not judged by the log does not pass for one that was judged", () => {
  const finding = (check: string, skipped?: string, fellBack?: string): Finding => {
    return { check, violations: [], skipped, fellBack, gaveUp: [], counts: {} };
  };
  const findings = [
    finding("C1"),
    finding("C2", "no log"),
    finding("C5", undefined, "no log"),
    finding("C7"),
    finding("C10"),
  ];
  assert.deepEqual(undecided(findings), [
    "C2 was not decided: no log",
    "C5 was not decided: no log",
    "C8 was not decided: it did not run",
  ]);
});
