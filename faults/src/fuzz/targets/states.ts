/**
 * Snapshots of the state (fault model F5), as they lie in the log and in snapshot files, with checksums that match: bytes
 * become a state or a `SnapshotFormatError`, and what becomes a state is sound: it can be written again, and any command
 * can be applied to it.
 */
import type { FuzzTarget } from "../fuzz-target.js";
import { mutate, splice } from "../mutate.js";
import { Random } from "../random.js";
import { applyMany, assertRestorable, livedState, stateFrom } from "../state.js";
import { damagedRecords } from "../wire-records.js";

const statesKept = 64;
const commandsMax = 60;
const commandsAfterwards = 10;

/** An input: the number of the commands that follow (four bytes), then the snapshot. */
export class StatesTarget implements FuzzTarget {
  readonly name = "states";
  readonly #snapshots: readonly Buffer[] = Array.from({ length: statesKept }, (_, n) =>
    livedState(new Random(n), commandsMax),
  );
  #restored = 0;
  #refused = 0;

  generate(random: Random): Buffer {
    const number = random.bytes(4);
    return Buffer.concat([number, this.#damaged(random)]);
  }

  run(input: Buffer): void {
    if (input.length < 4) return;
    const machine = stateFrom(input.subarray(4));
    if (typeof machine === "string") {
      this.#refused++;
      return;
    }
    this.#restored++;
    assertRestorable(machine);
    applyMany(machine, new Random(input.readUInt32BE(0)), commandsAfterwards);
    assertRestorable(machine);
  }

  figures(): string {
    return `${this.#restored} restored, ${this.#refused} refused`;
  }

  #damaged(random: Random): Buffer {
    const snapshot = random.pick(this.#snapshots);
    if (random.chance(10)) return splice(snapshot, random.pick(this.#snapshots), random);
    return random.chance(3) ? mutate(snapshot, random) : damagedRecords(snapshot, random);
  }
}
