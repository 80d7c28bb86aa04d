/**
 * Commands from the log (fault model F10): bytes become a command or a `MalformedMessageError`; whatever becomes one is
 * applied without an error, to the same effect by every machine, and leaves a state whose snapshot stands for it (I10).
 */
import { MalformedMessageError } from "@holdfast/protocol";
import { decodeCommand, encodeCommand, type LoggedCommand, StateMachine } from "@holdfast/state-machine";
import { commandBytes } from "../command-bytes.js";
import type { FuzzTarget } from "../fuzz-target.js";
import type { Random } from "../random.js";
import { assertRestorable, stateBytes, stateFrom } from "../state.js";

/** Snapshots cost far more than commands, so they are compared only this often. */
const comparedOneIn = 4;

/** An input: commands, each behind its length (two bytes). */
export class CommandsTarget implements FuzzTarget {
  readonly name = "commands";
  #runs = 0;
  #applied = 0;
  #refused = 0;
  #malformed = 0;

  generate(random: Random): Buffer {
    const parts: Buffer[] = [];
    for (let left = 1 + random.below(30); left > 0; left--) {
      const command = commandBytes(random, random.chance(4)).subarray(0, 0xffff);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(command.length);
      parts.push(length, command);
    }
    return Buffer.concat(parts);
  }

  run(input: Buffer): void {
    const commands = this.#decoded(input);
    const machine = new StateMachine();
    const half = commands.length >> 1;
    this.#apply(machine, commands.slice(0, half));
    this.#runs++;
    if (this.#runs % comparedOneIn !== 0) {
      this.#apply(machine, commands.slice(half));
      return;
    }
    // One machine goes on from a snapshot, as after a restart.
    const other = stateFrom(assertRestorable(machine));
    if (typeof other === "string") throw new Error("the same snapshot is refused the second time");
    this.#apply(machine, commands.slice(half));
    this.#apply(other, commands.slice(half));
    if (!assertRestorable(machine).equals(stateBytes(other))) throw new Error("another state after a restart");
  }

  figures(): string {
    return `${this.#applied} commands applied, ${this.#refused} refused, ${this.#malformed} malformed`;
  }

  #apply(machine: StateMachine, commands: readonly LoggedCommand[]): void {
    for (const { command, caller } of commands) {
      if (machine.apply(command, caller).kind === "refused") this.#refused++;
      else this.#applied++;
    }
  }

  #decoded(input: Buffer): LoggedCommand[] {
    const commands: LoggedCommand[] = [];
    for (let at = 0; at + 2 <= input.length; ) {
      const end = Math.min(input.length, at + 2 + input.readUInt16BE(at));
      const logged = decodeOrRefuse(input, at + 2, end);
      if (logged === undefined) this.#malformed++;
      else commands.push(logged);
      at = end;
    }
    return commands;
  }
}

function decodeOrRefuse(bytes: Buffer, start: number, end: number): LoggedCommand | undefined {
  try {
    const logged = decodeCommand(bytes, start, end);
    assertSame(logged);
    return logged;
  } catch (error) {
    if (error instanceof MalformedMessageError) return undefined;
    throw error;
  }
}

/** What is written again is read again. */
function assertSame({ command, caller }: LoggedCommand): void {
  const encoded = encodeCommand(command, caller);
  const again = decodeCommand(encoded);
  if (!Buffer.from(encoded).equals(encodeCommand(again.command, again.caller))) {
    throw new Error(`a command of kind ${command.kind} does not come back as it was`);
  }
}
