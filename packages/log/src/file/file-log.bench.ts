/**
 * How fast the file log is on the disk of this machine: `node dist/file/file-log.bench.js [folder]`.
 *
 * Appends are made one after another, as a replica makes them: the next batch starts when the one
 * before is durable. A batch stands for as many commands as were waiting. Small snapshots on the way
 * let old segments be discarded, as they are in a server that has been up for a while. Reopening is measured with
 * the files in the page cache; a cold disk adds its own reading time.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Log } from "../log.js";
import { openFileLog } from "./open-file-log.js";

const COMMAND_BYTES = 200;
const BATCH_BYTES = 20 * 1024;
const WARM_UP_SECONDS = 5;
const SECONDS_PER_CASE = 5;
const BYTES_PER_SNAPSHOT = 64 * 1024 * 1024;
const COMMANDS_TO_REPLAY = 1_000_000;

interface Latencies {
  readonly count: number;
  readonly seconds: number;
  readonly sorted: Float64Array;
}

function appendFor(log: Log, payload: Uint8Array, seconds: number): Promise<Latencies> {
  const latencies: number[] = [];
  const appendsPerSnapshot = Math.ceil(BYTES_PER_SNAPSHOT / payload.length);
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const next = (): void => {
      const begun = performance.now();
      log.append(payload, (result) => {
        if (result.fate !== "stored") {
          reject(new Error(JSON.stringify(result)));
          return;
        }
        const now = performance.now();
        latencies.push(now - begun);
        if (latencies.length % appendsPerSnapshot === 0) log.writeSnapshot(result.index, [payload]).catch(reject);
        if (now - start < seconds * 1000) next();
        else
          resolve({
            count: latencies.length,
            seconds: (now - start) / 1000,
            sorted: Float64Array.from(latencies).sort(),
          });
      });
    };
    next();
  });
}

function report(name: string, { count, seconds, sorted }: Latencies, commandsPerAppend: number): void {
  const at = (share: number) => `${(sorted[Math.floor((count - 1) * share)]! * 1000).toFixed(0)} µs`;
  const perSecond = count / seconds;
  console.log(
    `${name}: ${perSecond.toFixed(0)} appends/s, ${(perSecond * commandsPerAppend).toFixed(0)} commands/s;`,
    `p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, p99.9 ${at(0.999)}, longest ${at(1)}`,
  );
}

async function benchAppends(parent: string, payloadBytes: number): Promise<void> {
  const log = await openFileLog({ folder: join(parent, `append-${payloadBytes}`) });
  await log.acquire();
  const payload = Buffer.alloc(payloadBytes, 0x5a);
  await appendFor(log, payload, WARM_UP_SECONDS);
  const before = process.cpuUsage();
  const result = await appendFor(log, payload, SECONDS_PER_CASE);
  const cpu = process.cpuUsage(before);
  report(`${payloadBytes} B per append`, result, Math.max(1, Math.floor(payloadBytes / COMMAND_BYTES)));
  console.log(`  processor time per append, all threads: ${((cpu.user + cpu.system) / result.count).toFixed(0)} µs`);
  await log.close();
}

async function benchReopening(parent: string): Promise<void> {
  const folder = join(parent, "reopen");
  const log = await openFileLog({ folder });
  await log.acquire();
  const commandsPerBatch = Math.floor(BATCH_BYTES / COMMAND_BYTES);
  const payload = Buffer.alloc(commandsPerBatch * COMMAND_BYTES, 0x5a);
  const batches = COMMANDS_TO_REPLAY / commandsPerBatch;
  for (let i = 0; i < batches; i++) await new Promise((resolve) => log.append(payload, resolve));
  await log.close();
  for (const round of ["first", "second"]) {
    const start = performance.now();
    const reopened = await openFileLog({ folder });
    const opened = performance.now();
    let bytes = 0;
    await reopened.replay(0, (entry) => {
      bytes += entry.payload.length;
    });
    const replayed = performance.now();
    const commands = Math.floor(bytes / COMMAND_BYTES);
    console.log(
      `reopen with ${commands} commands in ${BATCH_BYTES} B entries, ${round} time:`,
      `${(opened - start).toFixed(0)} ms to verify, ${(replayed - opened).toFixed(0)} ms to replay`,
    );
    await reopened.close();
  }
}

const parent = await mkdtemp(join(process.argv[2] ?? tmpdir(), "holdfast-bench-"));
try {
  for (const payloadBytes of [COMMAND_BYTES, BATCH_BYTES, 256 * 1024]) await benchAppends(parent, payloadBytes);
  await benchReopening(parent);
} finally {
  await rm(parent, { recursive: true, force: true });
}
