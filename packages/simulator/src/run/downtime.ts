/** What happens between two lives of the server: how long it is down, what its disk remembers, and whether it may come back. */
import type { Life, Violation } from "../history/history.js";
import { noDiskFaults } from "../world/disk.js";
import type { SeededRandom } from "../world/random.js";
import type { RunParts } from "./run-parts.js";

/** Errors on opening that a working disk does not give, and that pass. */
const passing = /ENOSPC|EIO|LogFullError/;

export class Downtime {
  readonly violations: Violation[] = [];
  /** The server refuses to start, and that is not going to pass. */
  halted = false;
  readonly #parts: RunParts;
  readonly #random: SeededRandom;
  readonly #recoveryKills: SeededRandom;
  #isOn = true;

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.#random = parts.random.fork("downtime");
    this.#recoveryKills = parts.random.fork("recovery kills");
    parts.node.onDown = (life) => this.#down(life);
  }

  /** Lives are not disturbed on beginning any more. */
  calm(): void {
    this.#isOn = false;
  }

  /** Starts the server for the first time. */
  begin(): void {
    this.#start();
  }

  #down(life: Life): void {
    const { scheduler, disk, node, network, config, mark } = this.#parts;
    this.#count(life);
    disk.faults = noDiskFaults;
    if (life.how === "refused-to-start" && !passing.test(life.reason ?? "")) {
      this.halted = true;
      const message = `life ${life.number} refused to start: ${life.reason}`;
      if (config.expected === "halt") mark("halted");
      if (config.expected === "survive") this.violations.push({ check: "start", invariant: "I1", message });
      return;
    }
    const mode = life.how === "power-cut" ? this.#random.pick(["strict", "wild", "wild"] as const) : "kind";
    const downMs = this.#random.pick([1, 100, 1_000, 5_000]) * this.#random.within(0.5, 1.5);
    scheduler.after(downMs, "world", scheduler.world, () => {
      node.recoverDisk(mode);
      network.forget("server");
      this.#start();
    });
  }

  #start(): void {
    const { scheduler, node, config } = this.#parts;
    node.start();
    const number = node.lives.length;
    if (!this.#isOn || config.faults["recovery-kill"] === undefined || !this.#recoveryKills.chance(0.4)) return;
    scheduler.after(this.#recoveryKills.wait(5 * config.disk.operationMs), "world", scheduler.world, () => {
      if (node.state !== "starting" || node.lives.length !== number) return;
      node.kill(this.#recoveryKills.pick(["killed", "power-cut"] as const));
    });
  }

  #count({ how }: Life): void {
    const { mark } = this.#parts;
    if (how === "killed" || how === "power-cut") mark(how);
    else if (how === "stopped") mark("stopped-by-itself");
  }
}
