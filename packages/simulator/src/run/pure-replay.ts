/** The state as it must be: a pure function of the entries, without snapshots, restarts or anything else (I10). */
import { readBatch } from "@holdfast/replica";
import { StateMachine } from "@holdfast/state-machine";
import type { StateDigest, StoredEntry } from "../history/history.js";
import { digestOf } from "../world/node.js";

/** Replays `entries` and takes a digest wherever a life took one. They are told as those of life 0. */
export function replayDigests(entries: readonly StoredEntry[], taken: readonly StateDigest[]): StateDigest[] {
  const wanted = [...new Set(taken.map(({ index }) => index))].sort((a, b) => a - b);
  const machine = new StateMachine();
  const digests: StateDigest[] = [];
  let next = 0;
  for (const index of wanted) {
    for (let entry = entries[next]; entry !== undefined && entry.index <= index; entry = entries[++next]) {
      readBatch(entry.index, entry.payload, ({ command, caller }) => machine.apply(command, caller));
    }
    digests.push({ life: 0, index, digest: digestOf(machine) });
  }
  return digests;
}
