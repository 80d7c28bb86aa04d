/**
 * Log entries, each a batch of commands (fault model F10, F61): an entry is read, or is an `UnreadableEntryError`; what can
 * be read is applied without an error.
 */
import { readBatch, UnreadableEntryError } from "@holdfast/replica";
import { type LoggedCommand, StateMachine } from "@holdfast/state-machine";
import { commandBytes } from "../command-bytes.js";
import type { FuzzTarget } from "../fuzz-target.js";
import { mutate } from "../mutate.js";
import type { Random } from "../random.js";

/** The layout of package replica, `batch.ts`. */
const format = 1;
const commandsMax = 12;

/** An input: the payload of an entry. */
export class BatchesTarget implements FuzzTarget {
  readonly name = "batches";
  #read = 0;
  #refused = 0;

  generate(random: Random): Buffer {
    const parts: Buffer[] = [Buffer.from([format])];
    for (let left = random.below(commandsMax); left > 0; left--) {
      const command = commandBytes(random, random.chance(20));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(command.length);
      parts.push(length, command);
    }
    const payload = Buffer.concat(parts);
    return random.chance(3) ? mutate(payload, random) : payload;
  }

  run(input: Buffer): void {
    const commands = readOrRefuse(input);
    if (commands === undefined) {
      this.#refused++;
      return;
    }
    this.#read++;
    const machine = new StateMachine();
    for (const { command, caller } of commands) machine.apply(command, caller);
  }

  figures(): string {
    return `${this.#read} entries read, ${this.#refused} refused`;
  }
}

function readOrRefuse(payload: Buffer): readonly LoggedCommand[] | undefined {
  const commands: LoggedCommand[] = [];
  try {
    readBatch(1, payload, (logged) => commands.push(logged));
    return commands;
  } catch (error) {
    if (error instanceof UnreadableEntryError) return undefined;
    throw error;
  }
}
