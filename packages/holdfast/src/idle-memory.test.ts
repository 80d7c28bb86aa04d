/**
 * When memory is given back, and that it is.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { defaultIdleMemoryLimits, IdleMemory } from "./idle-memory.js";

const mebibyte = 2 ** 20;
const { idleCpuMs, idleLooks, unusedBytesMin, usedBytesMax } = defaultIdleMemoryLimits;

/** A process that is looked at. */
class Watched {
  cpuMs = 1000;
  total = 30 * mebibyte;
  used = 12 * mebibyte;
  /** What is left when all garbage is collected. */
  leftTotal = 13 * mebibyte;
  collected = 0;
  readonly memory = new IdleMemory({
    cpuMs: () => this.cpuMs,
    heap: () => ({ total: this.total, used: this.used }),
    collect: async () => {
      this.collected += 1;
      this.total = this.leftTotal;
    },
  });

  /** So many intervals, each with so much work. */
  async pass(looks: number, workMs = 0): Promise<void> {
    for (let look = 0; look < looks; look++) {
      this.cpuMs += workMs;
      this.memory.look();
      await Promise.resolve();
    }
  }
}

test("memory is given back once, after the process has been idle for a while", async () => {
  const watched = new Watched();
  await watched.pass(10, idleCpuMs + 1);
  await watched.pass(idleLooks - 1, idleCpuMs);
  assert.equal(watched.collected, 0);
  await watched.pass(1, idleCpuMs);
  assert.equal(watched.collected, 1);
  await watched.pass(10 * idleLooks);
  assert.equal(watched.collected, 1);
});

test("work in between begins the wait anew", async () => {
  const watched = new Watched();
  for (let round = 0; round < 3; round++) {
    await watched.pass(idleLooks - 1);
    await watched.pass(1, idleCpuMs + 1);
  }
  assert.equal(watched.collected, 0);
});

test("a heap in which little is to be had, or which it would take long to go through, is left alone", async () => {
  const small = new Watched();
  small.used = small.total - unusedBytesMin + 1;
  const large = new Watched();
  large.used = usedBytesMax + 1;
  large.total = 3 * usedBytesMax;
  for (const watched of [small, large]) {
    await watched.pass(idleLooks);
    assert.equal(watched.collected, 0);
  }
});

test("what could not be given back last time does not count next time; what a new load took does", async () => {
  const watched = new Watched();
  watched.leftTotal = watched.total;
  await watched.pass(idleLooks);
  assert.equal(watched.collected, 1);
  await watched.pass(1, idleCpuMs + 1);
  await watched.pass(idleLooks);
  assert.equal(watched.collected, 1);
  watched.total += unusedBytesMin;
  await watched.pass(1, idleCpuMs + 1);
  await watched.pass(idleLooks);
  assert.equal(watched.collected, 2);
});

test("V8 gives up what it does not need, and the process ends as before", () => {
  const module = JSON.stringify(new URL("./idle-memory.js", import.meta.url).href);
  const program = `
    import { getHeapSpaceStatistics } from "node:v8";
    import { releaseMemoryWhenIdle } from ${module};
    const young = () => getHeapSpaceStatistics().find((space) => space.space_name === "new_space").space_size;
    let kept = [];
    for (let index = 0; index < 3e6; index++) { kept.push({ index }); if (kept.length > 2e5) kept = []; }
    kept = [];
    const before = young();
    releaseMemoryWhenIdle({ lookIntervalMs: 20, idleCpuMs: 1e6, idleLooks: 3, unusedBytesMin: 1, usedBytesMax: 1e9 });
    const wait = setInterval(() => {
      if (young() >= before) return;
      clearInterval(wait);
      console.log("less");
    }, 20);
  `;
  const args = ["--input-type=module", "--eval", program];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 60_000 });
  assert.deepEqual([stdout, stderr, status], ["less\n", "", 0]);
});
