/**
 * Several commands in one log entry: what waits while the disk is busy travels together.
 *
 * Format 1: one byte 1, then for each command its length (unsigned, 4 bytes, little-endian) and its bytes
 * as `encodeCommand` makes them. A format this program does not know stops it (fault-model F61).
 */
import { FRAME_HEADER_BYTES } from "@holdfast/log";
import type { RequestOp, TxnRequest } from "@holdfast/protocol";
import {
  type Caller,
  type Command,
  callerBytes,
  decodeCommand,
  kindByteOf,
  type LoggedCommand,
  PutIfAbsent,
  writeCaller,
} from "@holdfast/state-machine";
import type { Proposer } from "./proposer.js";
import { ValueMover } from "./value-mover.js";

const batchFormat = 1;
const initialBytes = 16 * 1024;

const mover = new ValueMover();

/** How much of the log's reserve a command of `bytes` in its batch may help to use up, from 0 to 1. */
export type ShareOf = (command: Command, caller: Caller | undefined, bytes: number) => number;

/** Commands on their way into one log entry, with those who wait for the answers. */
export class Batch {
  readonly commands: Command[] = [];
  readonly proposers: Proposer[] = [];
  /** How much the entry may use up of the room that the log keeps for when there is no other, from 0 to 1. */
  reserveShare = 0;
  /** How much there is to do: see `operationsOf`. */
  operations = 0;
  /** As long as up to the last command that has one. */
  readonly #callers: (Caller | undefined)[] = [];
  #buffer: Buffer = memoryOf(initialBytes);
  /** Of the buffer. */
  #memory = this.#buffer.buffer;
  #memoryOffset = this.#buffer.byteOffset;
  #length = 1;

  constructor() {
    this.#buffer[0] = batchFormat;
  }

  get isEmpty(): boolean {
    return this.commands.length === 0;
  }

  get bytes(): number {
    return this.#length;
  }

  /** The encoded entry; valid until the batch is cleared. */
  get payload(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /**
   * Adds a command of so many operations whose encoding is that of `caller`, its kind byte, and `body`; `body` is copied, and
   * values that are longer than `lentBytesMin` and views of it become views of the copy, which lasts until the batch is cleared.
   * Shorter ones must not be views: a copy costs no more.
   */
  add(command: Command, body: Uint8Array, proposer: Proposer, caller: Caller | undefined, operations: number): void {
    const bytes = callerBytes(caller) + 1 + body.length;
    const end = this.#length + 4 + bytes;
    if (end > this.#buffer.length) this.#grow(end);
    this.#buffer.writeUInt32LE(bytes, this.#length);
    const kindPosition = writeCaller(this.#buffer, this.#length + 4, caller);
    this.#buffer[kindPosition] = kindByteOf(command);
    this.#buffer.set(body, kindPosition + 1);
    this.#length = end;
    if (caller !== undefined) this.#remember(caller);
    mover.move(command, body, this.#memory, this.#memoryOffset + kindPosition + 1);
    this.commands.push(command);
    this.proposers.push(proposer);
    this.operations += operations;
  }

  /** The least share of the reserve that `shareOf` gives to any of the commands. */
  leastShare(shareOf: ShareOf): number {
    let least = 1;
    let position = 1;
    for (let index = 0; index < this.commands.length && least > 0; index++) {
      const bytes = this.#buffer.readUInt32LE(position);
      position += 4 + bytes;
      least = Math.min(least, shareOf(this.commands[index] as Command, this.callerAt(index), bytes));
    }
    return least;
  }

  /**
   * Puts the commands that may use more of the reserve than this batch might into `target`, which is empty, and lets it use
   * the least that any of them may. Returns the proposers of the others.
   */
  split(shareOf: ShareOf, target: Batch): Proposer[] {
    const others: Proposer[] = [];
    target.reserveShare = 1;
    let position = 1;
    for (const [index, command] of this.commands.entries()) {
      const caller = this.callerAt(index);
      const bytes = this.#buffer.readUInt32LE(position);
      const bodyPosition = position + 4 + callerBytes(caller) + 1;
      position += 4 + bytes;
      const proposer = this.proposers[index] as Proposer;
      const share = shareOf(command, caller, bytes);
      if (share <= this.reserveShare) {
        others.push(proposer);
        continue;
      }
      target.reserveShare = Math.min(target.reserveShare, share);
      target.add(command, this.#buffer.subarray(bodyPosition, position), proposer, caller, operationsOf(command));
    }
    return others;
  }

  /** Who asked for the command at `index`. */
  callerAt(index: number): Caller | undefined {
    return index < this.#callers.length ? this.#callers[index] : undefined;
  }

  /** The memory it holds, full or empty. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** Empties the batch for use anew. */
  clear(): void {
    this.commands.length = 0;
    this.proposers.length = 0;
    this.operations = 0;
    if (this.#callers.length > 0) this.#callers.length = 0;
    this.#length = 1;
    this.reserveShare = 0;
  }

  /** The caller of the command about to be added. */
  #remember(caller: Caller): void {
    while (this.#callers.length < this.commands.length) this.#callers.push(undefined);
    this.#callers.push(caller);
  }

  /** Values in the memory it leaves stay what they are: nobody writes there any more. */
  #grow(bytes: number): void {
    const larger = memoryOf(Math.max(bytes, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
    this.#memory = larger.buffer;
    this.#memoryOffset = larger.byteOffset;
  }
}

/**
 * Memory in which each byte lies as it will lie in the log's frame, behind 68 others: what is copied into memory that threads
 * share goes by words only where both lie alike, which is ten times as fast.
 */
function memoryOf(bytes: number): Buffer {
  const skipped = FRAME_HEADER_BYTES % 8;
  return Buffer.allocUnsafeSlow(skipped + bytes).subarray(skipped);
}

/** How many operations a command is: one, but of a transaction as many as the longer of its branches has. */
export function operationsOf(command: Command): number {
  if (command.kind !== "txn" || command.request instanceof PutIfAbsent) return 1;
  return Math.max(1, operationsOfTxn(command.request));
}

/** Those of nested transactions instead of these. */
function operationsOfTxn({ success, failure }: TxnRequest): number {
  return Math.max(operationsOfBranch(success), operationsOfBranch(failure));
}

function operationsOfBranch(operations: readonly RequestOp[]): number {
  let count = operations.length;
  for (const { requestTxn } of operations) if (requestTxn !== undefined) count += operationsOfTxn(requestTxn) - 1;
  return count;
}

/** Thrown when a log entry is not a batch this program can read. The replica must not go on. */
export class UnreadableEntryError extends Error {
  constructor(index: number, reason: string) {
    super(`log entry ${index} cannot be read: ${reason}`);
    this.name = "UnreadableEntryError";
  }
}

/** Visits the commands of the entry at `index`, in order. Throws `UnreadableEntryError`. */
export function readBatch(index: number, payload: Uint8Array, visit: (logged: LoggedCommand) => void): void {
  divideBatch(index, payload, (start, end) => visit(readCommand(index, payload, start, end)));
}

/** As `readBatch`, but tells only where each command lies in `payload`. */
export function divideBatch(index: number, payload: Uint8Array, visit: (start: number, end: number) => void): void {
  if (payload[0] !== batchFormat) throw new UnreadableEntryError(index, `unknown format ${payload[0]}`);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  let position = 1;
  while (position < payload.length) {
    const start = position + 4;
    const end = start <= payload.length ? start + view.getUint32(position, true) : Number.POSITIVE_INFINITY;
    if (end > payload.length) throw new UnreadableEntryError(index, `command at byte ${position} is cut off`);
    visit(start, end);
    position = end;
  }
}

/** The command of the entry at `index` that lies at `payload[start..end)`. Throws `UnreadableEntryError`. */
export function readCommand(index: number, payload: Uint8Array, start: number, end: number): LoggedCommand {
  try {
    return decodeCommand(payload, start, end);
  } catch (error) {
    throw new UnreadableEntryError(index, error instanceof Error ? error.message : String(error));
  }
}
