/** States and their bytes, for the fuzzers that make states out of anything. */
import { MalformedMessageError } from "@holdfast/protocol";
import { decodeCommand, Restorer, SnapshotFormatError, StateMachine } from "@holdfast/state-machine";
import { commandBytes } from "./command-bytes.js";
import type { Random } from "./random.js";

/** The encoding of a state. */
export function stateBytes(machine: StateMachine): Buffer {
  const frozen = machine.freeze();
  try {
    return Buffer.concat([...frozen.chunks()]);
  } finally {
    frozen.release();
  }
}

/** The state that the bytes stand for; the reason if they are refused as they should be. Throws what else is thrown. */
export function stateFrom(bytes: Uint8Array): StateMachine | string {
  const restorer = new Restorer();
  try {
    if (bytes.length > 0) restorer.push(bytes);
    return restorer.finish();
  } catch (error) {
    if (error instanceof SnapshotFormatError) return error.message;
    throw error;
  }
}

/** The bytes of `machine`, which must stand for the same state. */
export function assertRestorable(machine: StateMachine): Buffer {
  const bytes = stateBytes(machine);
  const restored = stateFrom(bytes);
  if (typeof restored === "string") throw new Error(`the snapshot of this state is refused: ${restored}`);
  if (!stateBytes(restored).equals(bytes)) throw new Error("the snapshot of this state stands for another one");
  return bytes;
}

/** The bytes of a machine that has lived for at most `commandsMax` commands. */
export function livedState(random: Random, commandsMax: number): Buffer {
  const machine = new StateMachine();
  applyMany(machine, random, 1 + random.below(commandsMax));
  return stateBytes(machine);
}

/** Applies random commands. */
export function applyMany(machine: StateMachine, random: Random, count: number): void {
  for (let left = count; left > 0; left--) {
    try {
      const { command, caller } = decodeCommand(commandBytes(random, false));
      machine.apply(command, caller);
    } catch (error) {
      // Some messages say what no command says.
      if (!(error instanceof MalformedMessageError)) throw error;
    }
  }
}
