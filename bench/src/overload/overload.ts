/**
 * `npm run bench -- --overload`: ten thousand connections that ask for more than the machine can do, some of which do not
 * read their answers. Shows what is refused and what is slowed, that memory stays bounded, and that a client who asks for
 * little is served meanwhile.
 *
 * The server runs with its default limits. The history is compacted once a second, since what is kept grows with what is
 * written: that is data, not the load.
 */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { byteStringFromText, kvService } from "@holdfast/protocol";
import { readable } from "../report/figures.js";
import type { Launch } from "../servers/launch.js";
import { Server } from "../servers/server.js";
import { Crowd } from "./crowd.js";
import type { FloodPlan, FloodRequest } from "./flood-connection.js";
import type { HonestReport } from "./honest-client.js";
import { HonestThread } from "./honest-thread.js";
import { followMemory, type MemoryFigures } from "./memory.js";

/** What a run of this kind needs to know. */
export interface OverloadRun {
  readonly launch: Launch;
  readonly folder: string;
  readonly isQuick: boolean;
  /** How long each part takes. */
  readonly seconds: number;
}

/** The most memory that the server may ever hold: about twice what it held when this was written (docs/performance.md). */
export const residentMiBMax = 768;
/** A keepalive that waits longer than this has been starved; leases have ten seconds. */
export const keepAliveMsMax = 5_000;

/** One address more than the server takes connections of. */
const addresses = { usual: 11, quick: 3 };
const perAddress = { usual: 1000, quick: 500 };
const hotKeys = 1000;
const valueBytes = 128;
const largeKey = "large";
const largeValueBytes = 2 ** 20;
const nonReaders = { usual: 1000, quick: 100 };
const { put, range } = kvService.methods;

interface Part {
  readonly name: string;
  planOf(number: number): FloodPlan | undefined;
}

/** What one part showed. */
export interface PartResult {
  readonly name: string;
  readonly answeredPerSecond: number;
  readonly refusedPerSecond: number;
  readonly closed: number;
  readonly memory: MemoryFigures;
  readonly honest: HonestReport;
}

/** Runs all parts; resolves with 1 when memory or the honest client's times are beyond the stated bounds. */
export async function runOverload(run: OverloadRun): Promise<number> {
  const server = await Server.start(run.launch, join(run.folder, "data"));
  await prepare(server);
  const honest = await HonestThread.start(server.port);
  const size = run.isQuick ? "quick" : "usual";
  const crowd = await Crowd.connect(server.port, addresses[size], perAddress[size]);
  const asked = addresses[size] * perAddress[size];
  console.log(
    `\n${asked} connections asked for, ${crowd.connections.length} served, ${crowd.refusedConnections} closed\n`,
  );
  try {
    const results: PartResult[] = [];
    console.log(head);
    for (const part of parts(nonReaders[size])) {
      const result = await play(part, run.seconds, { server, crowd, honest });
      results.push(result);
      console.log(row(result));
    }
    const problems = problemsOf(results);
    console.log(legend);
    console.log(`\n${problems.length === 0 ? verdict : problems.join("\n")}`);
    return problems.length === 0 ? 0 : 1;
  } finally {
    crowd.close();
    await honest.stop();
    await server.stop("SIGKILL");
  }
}

async function prepare(server: Server): Promise<void> {
  const client = await server.connect();
  await client.put(largeKey, new Uint8Array(largeValueBytes));
  for (let number = 0; number < hotKeys; number += 1) await client.put(keyOf(number), "v");
  client.close();
}

function keyOf(number: number): string {
  return `hot-${number % hotKeys}`;
}

function parts(nonReaders: number): readonly Part[] {
  const large = { path: range.path, message: rangeMessage(largeKey) };
  const deaf: FloodPlan = { callsInFlight: 16, requests: [large], reads: false };
  return [
    { name: "silent connections", planOf: () => undefined },
    { name: "1 call at a time on each", planOf: (number) => smallCalls(number, 1) },
    { name: "20 calls at a time on each", planOf: (number) => smallCalls(number, 20) },
    {
      name: `${nonReaders} read no answers of 1 MiB`,
      planOf: (number) => (number < nonReaders ? deaf : smallCalls(number, 1)),
    },
    { name: "silence again", planOf: () => undefined },
  ];
}

/** One put to four reads. */
function smallCalls(number: number, callsInFlight: number): FloodPlan {
  const key = keyOf(number);
  const read: FloodRequest = { path: range.path, message: rangeMessage(key) };
  const value = new Uint8Array(valueBytes);
  const message = put.request.encode(put.request.create({ key: byteStringFromText(key), value }));
  return { callsInFlight, requests: [read, read, { path: put.path, message }, read, read], reads: true };
}

function rangeMessage(key: string): Uint8Array {
  return range.request.encode(range.request.create({ key: byteStringFromText(key) }));
}

interface Scene {
  readonly server: Server;
  readonly crowd: Crowd;
  readonly honest: HonestThread;
}

async function play(part: Part, seconds: number, { server, crowd, honest }: Scene): Promise<PartResult> {
  const before = { ...crowd.counts };
  await honest.report();
  const memory = followMemory(server);
  crowd.follow(part.planOf);
  await delay(seconds * 1000);
  const report = await honest.report();
  return {
    name: part.name,
    answeredPerSecond: (crowd.counts.answered - before.answered) / seconds,
    refusedPerSecond: (crowd.counts.refused - before.refused) / seconds,
    closed: crowd.counts.closed - before.closed,
    memory: memory(),
    honest: report,
  };
}

const widths = [30, 12, 12, 9, 12, 13, 13, 12, 9, 12];

function columns(texts: readonly string[]): string {
  return texts.map((text, at) => (at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0))).join("");
}

const head = columns([
  "",
  "answered/s",
  "refused/s",
  "closed",
  "memory MiB",
  "highest MiB",
  "compactions",
  "keepalives",
  "p99 ms",
  "longest ms",
]);

function row({ name, answeredPerSecond, refusedPerSecond, closed, memory, honest }: PartResult): string {
  const figures = [answeredPerSecond, refusedPerSecond].map(readable);
  const memories = [memory.lastMiB, memory.highestMiB].map(readable);
  const times = [honest.p99Ms, Math.max(honest.longestMs, honest.oldestWaitMs)].map(readable);
  const compactions = `${honest.compactions}+${honest.compactionsRefused}`;
  return columns([name, ...figures, String(closed), ...memories, compactions, String(honest.keepAlives), ...times]);
}

const legend = `
answered, refused: calls of the crowd. closed: its connections. compactions: done + refused; one is asked for each second in which something was written and none is under way.
keepalives: answered ones of the honest client, which sends fifty a second; their times.`;

const verdict = `Memory stayed below ${residentMiBMax} MiB; every lease lived; no keepalive waited ${keepAliveMsMax} ms.`;

/** What is beyond the stated bounds, as sentences. */
export function problemsOf(results: readonly PartResult[]): string[] {
  return results.flatMap(({ name, memory, honest }) => {
    const longestMs = Math.max(honest.longestMs, honest.oldestWaitMs);
    return [
      memory.highestMiB > residentMiBMax && `${name}: ${readable(memory.highestMiB)} MiB, above ${residentMiBMax} MiB`,
      honest.leasesLost > 0 && `${name}: ${honest.leasesLost} keepalives found their lease expired`,
      longestMs > keepAliveMsMax && `${name}: a keepalive waited ${readable(longestMs)} ms, above ${keepAliveMsMax} ms`,
      honest.keepAlives === 0 && `${name}: no keepalive was answered`,
    ].filter((problem) => problem !== false);
  });
}
