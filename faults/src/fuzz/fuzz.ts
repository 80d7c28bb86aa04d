/** Runs a fuzzer: one input after the other until the time is up, or until one is found that the code does wrong. */
import type { FuzzPlan, FuzzReport, FuzzTarget } from "./fuzz-target.js";
import { Random } from "./random.js";
import { shrink } from "./shrink.js";
import { Watchdog } from "./watchdog.js";

/** An input ends within this time (fault model F45). */
const inputMsMax = 100;
/** On a busy machine anything may take long once; what takes long every time is the input's own doing. */
const slowAttempts = 5;
/** How long the event loop may stand still while inputs run that need no turn of it. */
const turnMs = 20;
/** No more of an input is printed. */
const printedBytesMax = 1_024;
const seedsMax = 2 ** 31;

/** An input that the code under test did wrong by. The message holds everything that is needed to look into it. */
export class FuzzFailure extends Error {
  constructor(target: string, seed: number, input: Buffer, smallest: Buffer, cause: unknown) {
    const hex = smallest.subarray(0, printedBytesMax).toString("hex");
    const rest = smallest.length > printedBytesMax ? `... (${smallest.length} bytes)` : "";
    super(
      `${target}, seed ${seed}, input of ${input.length} bytes, made smaller: ${hex}${rest}\n` +
        `  again: npm run faults -- fuzz --only "${target}:" --seed ${seed}\n  ${describe(cause)}`,
      { cause },
    );
    this.name = "FuzzFailure";
  }
}

/**
 * Runs `target` as planned. Throws `FuzzFailure` for the first input that fails, and what `check` throws if something is
 * wrong at the end.
 */
export async function fuzz(target: FuzzTarget, plan: FuzzPlan): Promise<FuzzReport> {
  await target.open?.();
  const watchdog = new Watchdog(target.name);
  try {
    const report = await new FuzzRun(target, plan, watchdog).run();
    await target.check?.();
    return report;
  } finally {
    await watchdog.stop();
  }
}

class FuzzRun {
  readonly #target: FuzzTarget;
  readonly #plan: FuzzPlan;
  readonly #watchdog: Watchdog;
  #executions = 0;
  #slowestMs = 0;
  #slowestSeed = 0;

  constructor(target: FuzzTarget, plan: FuzzPlan, watchdog: Watchdog) {
    this.#target = target;
    this.#plan = plan;
    this.#watchdog = watchdog;
  }

  async run(): Promise<FuzzReport> {
    const startMs = performance.now();
    const untilMs = startMs + this.#plan.seconds * 1_000;
    let turnedMs = startMs;
    for (let seed = this.#plan.seed; ; seed = (seed + 1) % seedsMax) {
      await this.#one(seed);
      const nowMs = performance.now();
      if (nowMs >= untilMs) break;
      if (nowMs - turnedMs < turnMs) continue;
      await new Promise((resolve) => setImmediate(resolve));
      turnedMs = performance.now();
    }
    return {
      executions: this.#executions,
      seconds: (performance.now() - startMs) / 1_000,
      slowestMs: this.#slowestMs,
      slowestSeed: this.#slowestSeed,
    };
  }

  async #one(seed: number): Promise<void> {
    const input = this.#target.generate(new Random(seed));
    this.#watchdog.begin(seed);
    const startMs = performance.now();
    try {
      const running = this.#target.run(input);
      if (running !== undefined) await running;
    } catch (error) {
      throw await this.#failure(seed, input, error);
    }
    const tookMs = performance.now() - startMs;
    this.#executions++;
    if (tookMs > this.#slowestMs) {
      this.#slowestMs = tookMs;
      this.#slowestSeed = seed;
    }
    if (tookMs > inputMsMax) await this.#assertNotAlwaysSlow(seed, input);
  }

  async #assertNotAlwaysSlow(seed: number, input: Buffer): Promise<void> {
    let quickestMs = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < slowAttempts && quickestMs > inputMsMax; attempt++) {
      const startMs = performance.now();
      await this.#target.run(input);
      quickestMs = Math.min(quickestMs, performance.now() - startMs);
    }
    if (quickestMs <= inputMsMax) return;
    const cause = new Error(`it takes ${Math.round(quickestMs)} ms, every time`);
    throw new FuzzFailure(this.#target.name, seed, input, input, cause);
  }

  async #failure(seed: number, input: Buffer, cause: unknown): Promise<FuzzFailure> {
    let last = cause;
    const smallest = await shrink(input, async (smaller) => {
      this.#watchdog.begin(seed);
      try {
        await this.#target.run(smaller);
        return false;
      } catch (error) {
        last = error;
        return true;
      }
    });
    return new FuzzFailure(this.#target.name, seed, input, smallest, last);
  }
}

function describe(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
