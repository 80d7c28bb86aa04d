/** Time and chance of one life of the server, drawn from the world's. */
import type { LogEnvironment } from "@holdfast/log";
import type { ServerEnvironment } from "@holdfast/server";
import type { Owner } from "./owner.js";
import { SeededRandom } from "./random.js";
import type { Scheduler } from "./scheduler.js";

/** Mean virtual time of one password hash. */
const hashMs = 20;

export function serverEnvironmentOf(scheduler: Scheduler, owner: Owner, random: SeededRandom): ServerEnvironment {
  return {
    nowMs: () => scheduler.localMs(owner),
    every: (intervalMs, tick) => scheduler.every(owner, intervalMs, tick),
    defer: (task) => scheduler.defer(owner, task),
    randomId: () => random.id(),
    jitter: (intervalMs) => intervalMs + Math.floor(random.within(0, 0.1 * intervalMs)),
    clock: scheduler.clockOf(owner),
    secrets: {
      fillRandom: (target) => random.fill(target),
      deriveKey(password, salt, keyBytes, _options, done) {
        const key = Buffer.alloc(keyBytes);
        keyOf(password, salt).fill(key);
        scheduler.after(random.wait(hashMs), "disk", owner, () => done(null, key));
      },
    },
  };
}

export function logEnvironmentOf(scheduler: Scheduler, owner: Owner, random: SeededRandom): LogEnvironment {
  return {
    fillRandom: (target) => random.fill(target),
    defer: (callback) => scheduler.defer(owner, callback),
    after(delayMs, callback) {
      const timer = scheduler.timer(owner, delayMs, callback);
      return () => timer.cancel();
    },
  };
}

/** Not a secret: the same password and salt give the same key, which is all that a simulation needs of a hash. */
function keyOf(password: string, salt: Uint8Array): SeededRandom {
  return new SeededRandom(1).fork(`${password} ${Buffer.from(salt).toString("hex")}`);
}
