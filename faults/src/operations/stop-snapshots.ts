/** F63: the snapshots that a stop leaves for the next start are cut short, or there is no room for them. */
import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SeededRandom } from "@holdfast/simulator";
import { cannotMountTmpfs, mountTmpfs } from "../mounts.js";
import { runCommand } from "../processes.js";
import { PutLoad } from "../put-load.js";
import type { Scenario, ScenarioContext } from "../scenario.js";
import { ServerProcess } from "../server-process.js";
import { attachTracer, cannotTrace, type Injection } from "../tracer.js";
import { nowMs, pause } from "../waiting.js";

const cycles = 6;
/** The exit code of a server whose storage failed. */
const storageFailedCode = 7;
/** What is worth a snapshot at a stop (`stopSnapshotAfterCommands`). */
const putsPerLife = 20_000;
/** About as long as the two snapshots are being written. */
const writingMs = 150;

function newLoad(): PutLoad {
  return new PutLoad({ name: "stop", writers: 64, keysPerWriter: 20, valueBytes: 200 });
}

/** A server on `dataDir` that has been given enough to leave snapshots, and the load. */
async function loadedServer(context: ScenarioContext, dataDir: string, load: PutLoad): Promise<ServerProcess> {
  const server = await ServerProcess.start({ dataDir }, context);
  await load.start(server.endpoint);
  await load.acknowledged(putsPerLife);
  await load.stop();
  return server;
}

/** A server starts on `dataDir`, and has all of the load. */
async function assertWhole(context: ScenarioContext, dataDir: string, load: PutLoad): Promise<void> {
  const server = await ServerProcess.start({ dataDir }, context);
  assert.deepEqual(await load.problems(server.endpoint), []);
  await server.kill();
}

/** The names of snapshots in `dataDir`, finished or not. */
async function snapshotsIn(dataDir: string): Promise<string[]> {
  return (await readdir(dataDir)).filter((name) => name.startsWith("snapshot-"));
}

async function hasDraft(dataDir: string): Promise<boolean> {
  return (await snapshotsIn(dataDir)).some((name) => name.endsWith(".new"));
}

/** Resolves as soon as half a snapshot is there, or the server has ended. */
async function begun(dataDir: string, server: ServerProcess): Promise<void> {
  while (server.end === undefined && !(await hasDraft(dataDir))) await pause(1);
}

export const snapshotsCutShort: Scenario = {
  title:
    "F63, F1, F5, I1: killed while a stop writes its snapshots, again and again; all that was acknowledged is there",
  secondsMax: 90,
  run: async (context) => {
    const seed = context.seed ?? Math.floor(Math.random() * 2 ** 31);
    context.note(`seed ${seed}`);
    const random = new SeededRandom(seed).fork("snapshots at stops");
    let unfinished = 0;
    for (let cycle = 0; cycle < cycles; cycle++) {
      const dataDir = `${context.folder}/data-${cycle}`;
      const load = newLoad();
      const server = await loadedServer(context, dataDir, load);
      server.signal("SIGTERM");
      await begun(dataDir, server);
      if (cycle % 2 === 1) await pause(random.within(0, writingMs), context.signal);
      await server.kill();
      if (await hasDraft(dataDir)) unfinished++;
      await assertWhole(context, dataDir, load);
    }
    assert(unfinished > 0, "no kill came while a snapshot was written");
    const dataDir = `${context.folder}/data`;
    const load = newLoad();
    const server = await loadedServer(context, dataDir, load);
    const askedMs = nowMs();
    assert.equal((await server.kill("SIGTERM")).exitCode, 0);
    const tookMs = nowMs() - askedMs;
    context.note(`${unfinished} of ${cycles} kills left half a snapshot; a whole stop took ${tookMs.toFixed(0)} ms`);
    assert.equal((await snapshotsIn(dataDir)).length, 2);
    await assertWhole(context, dataDir, load);
  },
};

export const noRoomForSnapshots: Scenario = {
  title:
    "F63, F6, I1: no room for the snapshots of a stop; it ends in order, says so, and all that was acknowledged is there",
  secondsMax: 60,
  missing: cannotMountTmpfs,
  run: async (context) => {
    const at = await mountTmpfs(context, 160);
    const dataDir = join(at, "data");
    const load = newLoad();
    const server = await loadedServer(context, dataDir, load);
    const filler = join(at, "filler");
    await writeFile(filler, "");
    // Ends with "no space left on device", which is its purpose.
    await runCommand("dd", ["if=/dev/zero", `of=${filler}`, "bs=64k", "status=none"]);
    assert.equal((await server.kill("SIGTERM")).exitCode, 0);
    assert(server.output.some((line) => line.includes("no snapshot was left behind")));
    assert.deepEqual(await snapshotsIn(dataDir), []);
    await assertWhole(context, dataDir, load);
  },
};

/** Calls of a stop that fail: all that make something durable, or only that which gives a snapshot its name. */
const failures = ["fdatasync:error=EIO:when=1+", "rename:error=EIO:when=1+"];

async function failUnderSnapshots(context: ScenarioContext, dataDir: string, failure: Injection): Promise<void> {
  const load = newLoad();
  const server = await loadedServer(context, dataDir, load);
  // Appends are done by now, and segments made: what fails from here on is of the stop.
  await attachTracer(server.pid, [failure], context);
  const { exitCode } = await server.kill("SIGTERM");
  const stopping = server.output.findIndex((line) => line.includes("stopping; once more stops at once"));
  assert(stopping >= 0 && server.output.slice(stopping).some((line) => line.includes("storage failed")));
  assert.equal(exitCode, storageFailedCode, failure);
  assert(!server.output.some((line) => line.includes('"msg":"stopped"')));
  await assertWhole(context, dataDir, load);
}

export const failureUnderSnapshots: Scenario = {
  title:
    "F63, F7, I1, I11: the disk fails under the snapshots of a stop; it ends with the code of a failed storage, and nothing is lost",
  secondsMax: 60,
  missing: cannotTrace,
  run: async (context) => {
    for (const [at, failure] of failures.entries())
      await failUnderSnapshots(context, `${context.folder}/data-${at}`, failure);
  },
};
