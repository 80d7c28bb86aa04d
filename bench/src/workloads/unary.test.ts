import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { RefereeClient } from "../referee/client.js";
import { holdfastLaunch } from "../servers/launch.js";
import { Server } from "../servers/server.js";
import type { Bench } from "../workload.js";
import { putCall } from "./put.js";
import { rangeCall } from "./range.js";
import { small } from "./shapes.js";
import { checkedRun, type Generate, type UnaryWorkload, unaryWorkload } from "./unary.js";

/** A store whose revision goes from 10 to `revision` while `dataBytes` of answers arrive; a right answer has 100. */
function runOn(
  store: { revision?: number; dataBytes?: number; bytesAfter?: number; content?: Error },
  isWrite: boolean,
): Promise<unknown> {
  const revisions = [10, store.revision ?? 10];
  const lengths = [100, store.bytesAfter ?? 100];
  const client = {
    call: async () => Buffer.alloc(lengths.shift() ?? 0),
    range: async () => ({ revision: revisions.shift() ?? 0, pairs: [], count: 0, dataBytes: 0 }),
  };
  const check = async () => {
    if (store.content !== undefined) throw store.content;
  };
  const call = { path: "/", message: Buffer.alloc(0), isWrite, check };
  return checkedRun(client, call, 1000, async () => ({ dataBytes: store.dataBytes ?? 100_000 }));
}

test("a run of writes counts only when the revision advanced by exactly their number", async () => {
  await runOn({ revision: 1010 }, true);
  await assert.rejects(runOn({ revision: 1009 }, true), /advanced the revision by 999, not by 1000/);
  await assert.rejects(runOn({ revision: 1011 }, true), /by 1001, not by 1000/);
});

test("a run of reads counts only when nothing was written", async () => {
  await assert.rejects(runOn({ revision: 11 }, false), /by 1, not by 0/);
});

test("a run counts only when every answer had its full length: an error has no data", async () => {
  await runOn({}, false);
  await assert.rejects(runOn({ dataBytes: 99_900 }, false), /99900 bytes of answers, expected 100000/);
  await assert.rejects(runOn({ dataBytes: 100_001 }, false), /100001 bytes/);
});

test("an answer may grow with the digits of the revision, not beyond", async () => {
  await runOn({ revision: 1010, dataBytes: 100_500, bytesAfter: 101 }, true);
  await assert.rejects(
    runOn({ revision: 1010, dataBytes: 101_001, bytesAfter: 101 }, true),
    /expected 100000 to 101000/,
  );
});

test("a run counts only when the contents are right", async () => {
  await assert.rejects(runOn({ content: new Error("another value") }, false), /another value/);
});

/** Starts Holdfast for a workload, and stops it at the end of the test. */
function benchOf(t: TestContext): Bench {
  const folder = mkdtempSync(join(tmpdir(), "bench-unary-"));
  const servers: Server[] = [];
  t.after(async () => {
    for (const server of servers) await server.stop("SIGKILL");
    rmSync(folder, { recursive: true });
  });
  const launch = holdfastLaunch();
  return {
    ...{ launch, folder, seconds: 0.01, isQuick: true },
    start: async (options) => {
      servers.push(await Server.start(launch, join(folder, "data"), options));
      return servers.at(-1) ?? assert.fail();
    },
  };
}

/** Stands in for h2load, which not every machine has. `lost`: calls that it claims without having made them. */
function generateWith(lost: number): Generate {
  return async ({ path, message }, { port, requests }) => {
    const client = await RefereeClient.connect(port);
    let dataBytes = 0;
    for (let call = lost; call < requests; call += 1) dataBytes += (await client.call(path, message)).length;
    client.close();
    const figures = { perSecond: 1000, succeeded: requests, status2xx: requests, dataBytes };
    return { ...figures, cpuSeconds: 0, latenciesMs: Float64Array.from([1, 2, 3]) };
  };
}

const shape: Pick<UnaryWorkload, "name" | "group" | "goal" | "connections" | "streams"> = {
  ...{ name: "w", group: "g", goal: { ratio: 1, sense: "at least" }, connections: 1, streams: 5 },
};

test("rounds of writes and of reads on a real server pass their checks", async (t) => {
  for (const call of [putCall(small.valueBytes), rangeCall()]) {
    const load = await unaryWorkload({ ...shape, ...call }, generateWith(0)).open(benchOf(t));
    const { figure, operations, p50Ms, p99Ms } = await load.round();
    assert.deepEqual({ figure, operations, p50Ms, p99Ms }, { figure: 1000, operations: 10, p50Ms: 2, p99Ms: 3 });
    await load.close();
  }
});

test("a call that was not made is missed on a real server", async (t) => {
  const workload = unaryWorkload({ ...shape, ...putCall(small.valueBytes) }, generateWith(1));
  await assert.rejects(workload.open(benchOf(t)), /5 calls advanced the revision by 4, not by 5/);
});
