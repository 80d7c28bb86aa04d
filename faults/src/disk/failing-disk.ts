/**
 * F7 and F8: a disk whose syncs or writes fail, and one whose syncs take long, by a tracer that stands between the server and the
 * system.
 */
import assert from "node:assert/strict";
import { byteStringFromText, kvService } from "@holdfast/protocol";
import { Client } from "../client.js";
import { LeaseKeeper } from "../lease-keeper.js";
import { PutLoad } from "../put-load.js";
import type { Scenario, ScenarioContext } from "../scenario.js";
import { ServerProcess, throughCache } from "../server-process.js";
import { attachTracer, cannotTrace, type Injection } from "../tracer.js";
import { nowMs, pause, within } from "../waiting.js";

/** The exit code of a server whose storage failed. */
const storageFailedCode = 7;
const syncMs = 300;

/** A failure comes while clients write: the server ends at once and for good, and what it had acknowledged is there afterwards. */
async function endsAtOnce(
  context: ScenarioContext,
  injection: Injection,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const dataDir = `${context.folder}/data`;
  const server = await ServerProcess.start({ dataDir, env }, context);
  const load = new PutLoad({ name: "load", writers: 6 });
  await load.start(server.endpoint);
  await load.acknowledged(300);
  const tracer = await attachTracer(server.pid, [injection], context);
  const end = await within(server.exited, 20, "the server ends when its storage fails");
  assert.equal(end.exitCode, storageFailedCode, `it ended with ${end.exitCode ?? end.signal}`);
  const failures = tracer.lines.filter((line) => line.includes("EIO") && line.includes("INJECTED"));
  assert.equal(failures.length, 1, `the failed call was made again: ${failures.join(" | ")}`);
  await load.ended();
  assert.equal(load.refusedCount, 0, `a write whose fate is unknown was refused: ${load.refusal}`);
  await load.stop();
  const again = await ServerProcess.start({ dataDir }, context);
  assert.deepEqual(await load.problems(again.endpoint), []);
  context.note(`${load.acknowledgedCount} acknowledged, ${load.unknownCount} unknown, 0 lost`);
}

function failing(what: string, injection: Injection, env: Readonly<Record<string, string>> = throughCache): Scenario {
  return {
    title: `F7, I1, I11: ${what} ends the server for good with an exit code of its own, and nothing acknowledged is lost`,
    secondsMax: 60,
    missing: cannotTrace,
    run: (context) => endsAtOnce(context, injection, env),
  };
}

/** From the 20th on: the counts are per thread, and syncs of appends have theirs. */
export const failingDisk: readonly Scenario[] = [
  failing("a sync that fails once", "fdatasync:error=EIO:when=20"),
  failing("a disk on which every sync fails", "fdatasync:error=EIO:when=1+"),
  failing("a write that fails once", "pwrite64:error=EIO:when=20"),
  failing("a direct write that fails once", "pwrite64:error=EIO:when=20", {}),
];

export const slowDisk: Scenario = {
  title:
    "F8, I12: syncs of 300 ms delay writes, which are answered no earlier, and no keepalives, reads or other leases",
  secondsMax: 60,
  missing: cannotTrace,
  run: async (context) => {
    const server = await ServerProcess.start({ dataDir: `${context.folder}/data`, env: throughCache }, context);
    const keeper = await LeaseKeeper.start(server.endpoint, { ttlSeconds: 2, everyMs: 50 });
    const client = await Client.connect(server.endpoint);
    await pause(1000, context.signal);
    const usualMs = keeper.latencyMs(0.99);
    await attachTracer(server.pid, [`fdatasync:delay_enter=${syncMs}000`], context);
    const load = new PutLoad({ name: "load", writers: 20 });
    await load.start(server.endpoint);
    keeper.forget();
    const startedMs = nowMs();
    await client.must(kvService.methods.put, { key: byteStringFromText("timed") });
    const putMs = nowMs() - startedMs;
    assert(putMs >= syncMs, `a write was answered after ${putMs} ms, before its sync can have ended`);
    await pause((context.seconds ?? 5) * 1000, context.signal);
    const readMs = await readLatencyMs(client);
    await load.stop();
    context.note(
      `a write ${putMs.toFixed(0)} ms, keepalive p99 ${keeper.latencyMs(0.99).toFixed(1)} ms (${usualMs.toFixed(1)} without), read ${readMs.toFixed(1)} ms`,
    );
    assert.equal(keeper.lostCount, 0, "a lease ended although it was kept alive");
    assert(keeper.answeredCount > 60, `only ${keeper.answeredCount} keepalives were answered`);
    assert(keeper.latencyMs(0.99) < 200, `keepalives take ${keeper.latencyMs(0.99)} ms`);
    assert(readMs < 200, `reads take ${readMs} ms`);
  },
};

async function readLatencyMs(client: Client): Promise<number> {
  const startedMs = nowMs();
  await client.must(kvService.methods.range, { key: byteStringFromText("timed") });
  return nowMs() - startedMs;
}

/** More connections than fit into the limit of 20,000 proposals, each with as many calls as it may have under way. */
const crowd = { connections: 22, callsEach: 1000 };
const allKeys = { key: byteStringFromText("0"), rangeEnd: byteStringFromText(":") };

/** What the calls of a crowd that all writes at once were answered, and how often. */
async function writeAllAtOnce(clients: readonly Client[]): Promise<ReadonlyMap<string, number>> {
  const answers = new Map<string, number>();
  const write = async (client: Client, key: string): Promise<void> => {
    const { code, message } = await client.call(kvService.methods.put, { key: byteStringFromText(key) }, 60_000);
    const answer = `${code} ${message}`;
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
  };
  const numbers = Array.from({ length: crowd.callsEach }, (_unused, number) => number);
  await Promise.all(clients.flatMap((client, at) => numbers.map((number) => write(client, `${at}/${number}`))));
  return answers;
}

export const crowdOnSlowDisk: Scenario = {
  title: "F8, LIMIT waitingProposals: on a disk that hangs, waiting writes are bounded, and what is above is refused",
  secondsMax: 80,
  missing: cannotTrace,
  run: async (context) => {
    const server = await ServerProcess.start({ dataDir: `${context.folder}/data`, env: throughCache }, context);
    const clients = await Promise.all(Array.from({ length: crowd.connections }, () => Client.connect(server.endpoint)));
    const tracer = await attachTracer(server.pid, ["fdatasync:delay_enter=1000000"], context);
    const before = server.residentBytes();
    const answers = await writeAllAtOnce(clients);
    await tracer.detach();
    const grownMebibytes = (server.residentBytes() - before) / 2 ** 20;
    const told = [...answers].map(([answer, count]) => `${count} × ${answer === "0 " ? "OK" : answer}`);
    context.note(`${told.join(", ")}; memory grew by ${grownMebibytes.toFixed(0)} MiB`);
    // The code is the one that etcd sends with it: Unknown.
    const done = answers.get("0 ") ?? 0;
    const refused = answers.get("2 etcdserver: too many requests") ?? 0;
    assert(done > 0 && refused > 0, "some are done and some are refused");
    assert.equal(done + refused, crowd.connections * crowd.callsEach, "every call is done or refused");
    const { count } = await (clients[0] as Client).must(kvService.methods.range, { ...allKeys, countOnly: true });
    assert.equal(count, done, "what was refused had no effect");
  },
};
