/**
 * Builds the state that a log stands for: from its newest snapshot and the entries behind it, either while the log is opened,
 * or from one that is open.
 */
import type { Log, LogEntry, LogReader } from "@holdfast/log";
import { type Caller, type Command, type Outcome, Restorer, StateMachine } from "@holdfast/state-machine";
import { divideBatch, readCommand } from "./batch.js";
import { bytesInLog } from "./bytes-in-log.js";
import { ApplyFailure, unappliable } from "./unappliable-entry.js";

/** A state that was loaded. */
export interface LoadedState {
  readonly machine: StateMachine;
  /** What the entries took that were applied behind the snapshot (`bytesInLog`), and their commands. */
  readonly replayedBytes: number;
  readonly replayedCommands: number;
  /** What the state took as the snapshot had it. */
  readonly snapshotStateBytes: number;
}

export class StateLoader implements LogReader {
  /** Undefined until something has begun. */
  #snapshotIndex: number | undefined;
  #restorer: Restorer | undefined;
  #machine: StateMachine | undefined;
  #replayedBytes = 0;
  #replayedCommands = 0;
  #snapshotStateBytes = 0;

  begin(index: number): void {
    this.#snapshotIndex = index;
    this.#restorer = index === 0 ? undefined : new Restorer();
    this.#machine = undefined;
    this.#replayedBytes = 0;
    this.#replayedCommands = 0;
  }

  /** Throws `SnapshotFormatError`. */
  chunk(bytes: Uint8Array): void {
    this.#restorer!.push(bytes);
  }

  /** Throws `SnapshotFormatError`, `UnreadableEntryError` and `UnappliableEntryError`. */
  entry({ index, payload }: LogEntry): void {
    const machine = this.#restored();
    try {
      divideBatch(index, payload, (start, end) => {
        if (!replayPut(machine, payload, start, end)) {
          const { command, caller } = readCommand(index, payload, start, end);
          applyCommand(machine, command, caller);
        }
        this.#replayedCommands += 1;
      });
    } catch (error) {
      throw unappliable(error, index, payload);
    }
    this.#replayedBytes += bytesInLog(payload.length);
  }

  /** Whether it was given the state of `log` while that was opened. */
  hasRead(log: Log): boolean {
    return this.#snapshotIndex === (log.snapshot?.index ?? 0);
  }

  /** Reads a log that is open. Throws what `chunk` and `entry` throw, and what the log throws when it is damaged. */
  async read(log: Log): Promise<void> {
    const { snapshot } = log;
    this.begin(snapshot?.index ?? 0);
    if (snapshot !== undefined) for await (const chunk of snapshot.chunks()) this.chunk(chunk);
    await log.replay(snapshot?.index ?? 0, (entry) => this.entry(entry));
  }

  /** The state, and how it came about. Throws `SnapshotFormatError`. */
  finish(): LoadedState {
    return {
      machine: this.#restored(),
      replayedBytes: this.#replayedBytes,
      replayedCommands: this.#replayedCommands,
      snapshotStateBytes: this.#snapshotStateBytes,
    };
  }

  #restored(): StateMachine {
    if (this.#machine !== undefined) return this.#machine;
    this.#machine = this.#restorer?.finish() ?? new StateMachine();
    this.#restorer = undefined;
    this.#snapshotStateBytes = this.#machine.approximateBytes;
    return this.#machine;
  }
}

/** As `StateMachine.replayPut`. Throws `ApplyFailure` if that throws. */
function replayPut(machine: StateMachine, payload: Uint8Array, start: number, end: number): boolean {
  try {
    return machine.replayPut(payload, start, end);
  } catch (error) {
    throw new ApplyFailure(error);
  }
}

/** Applies a command. Throws `ApplyFailure` if that throws. */
export function applyCommand(machine: StateMachine, command: Command, caller: Caller | undefined): Outcome {
  try {
    return machine.apply(command, caller);
  } catch (error) {
    throw new ApplyFailure(error);
  }
}
