/** Real time and real chance, as the composition root hands them in. */
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { Environment } from "@holdfast/replica";
import { type Clock, systemClock } from "@holdfast/transport";
import { type Secrets, systemSecrets } from "./access/secrets.js";
import { RandomIds } from "./random-ids.js";

export interface ServerEnvironment extends Environment {
  /** `intervalMs` and up to a tenth more, so that many streams do not tick together (WATCH-30). */
  jitter(intervalMs: number): number;
  /** The time of connections and requests. */
  readonly clock: Clock;
  readonly secrets: Secrets;
}

/** setInterval fires at once for anything longer (fault-model F15). */
const timerMaxMs = 2 ** 31 - 1;

/** The environment of a real process. Its timers do not keep the process alive. */
export function systemEnvironment(): ServerEnvironment {
  const ids = new RandomIds();
  return {
    nowMs: () => performance.now(),
    every(intervalMs, tick) {
      const timer = setInterval(tick, Math.min(intervalMs, timerMaxMs));
      timer.unref();
      return () => clearInterval(timer);
    },
    defer: (task) => void setImmediate(task),
    randomId: () => ids.next(),
    jitter: (intervalMs) => intervalMs + Math.floor((randomBytes(4).readUInt32LE() / 2 ** 32) * 0.1 * intervalMs),
    clock: systemClock,
    secrets: systemSecrets,
  };
}
