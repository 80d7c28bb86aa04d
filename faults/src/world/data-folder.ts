/** What a data folder holds: the entries of its log, and the state that a server would start with. */
import { createHash } from "node:crypto";
import { type Log, type LogEntry, openFileLog } from "@holdfast/log";
import { readBatch } from "@holdfast/replica";
import { Restorer, StateMachine } from "@holdfast/state-machine";

export interface FolderContents {
  /** A snapshot may stand for what was before. */
  readonly firstIndex: number;
  readonly entries: readonly LogEntry[];
  /** What the newest snapshot covers; undefined if there is none. */
  readonly snapshotIndex: number | undefined;
  /** Of the state at the last entry, as a server comes to it: by the newest snapshot and what is behind that. */
  readonly digest: string;
}

/** Opens the log in `folder`, which may put right what is torn. @throws what opening a log and restoring a snapshot throw. */
export async function readDataFolder(folder: string): Promise<FolderContents> {
  const log = await openFileLog({ folder });
  try {
    const { firstIndex } = log.usage();
    const entries: LogEntry[] = [];
    await log.replay(firstIndex - 1, ({ index, epoch, payload }) => {
      entries.push({ index, epoch, payload: Uint8Array.from(payload) });
    });
    const machine = await restored(log);
    const snapshotIndex = log.snapshot?.index;
    for (const entry of entries) if (entry.index > (snapshotIndex ?? 0)) applyEntry(machine, entry);
    return { firstIndex, entries, snapshotIndex, digest: digestOf(machine) };
  } finally {
    await log.close();
  }
}

/** Of the state that the entries lead to, from nothing and without any snapshot (I10). */
export function digestOfEntries(entries: readonly LogEntry[]): string {
  const machine = new StateMachine();
  for (const entry of entries) applyEntry(machine, entry);
  return digestOf(machine);
}

async function restored({ snapshot }: Log): Promise<StateMachine> {
  if (snapshot === undefined) return new StateMachine();
  const restorer = new Restorer();
  for await (const chunk of snapshot.chunks()) restorer.push(chunk);
  return restorer.finish();
}

function applyEntry(machine: StateMachine, { index, payload }: LogEntry): void {
  readBatch(index, payload, ({ command, caller }) => machine.apply(command, caller));
}

function digestOf(machine: StateMachine): string {
  const frozen = machine.freeze();
  try {
    const hash = createHash("sha256");
    for (const chunk of frozen.chunks()) hash.update(chunk);
    return hash.digest("hex").slice(0, 32);
  } finally {
    frozen.release();
  }
}
