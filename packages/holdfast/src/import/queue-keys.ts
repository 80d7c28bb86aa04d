/**
 * Keys that queue for a lock or an election. Who comes first is told by their create revisions (LOCK-3), which an import
 * cannot keep, so their order is kept instead: else one who waits could take the place of one who holds.
 */
import type { KeyValue } from "@holdfast/client";
import type { Write } from "./target-writer.js";

/** A key of the source and, if it is there, of the target. */
export interface QueueKey {
  readonly source: KeyValue;
  readonly target: KeyValue | undefined;
}

/** Whether the key has the form that Lock and Campaign give theirs: a name, a slash, and the lease's id (LOCK-1). */
export function isQueueKey({ key, lease }: KeyValue): boolean {
  return lease !== 0n && key.endsWith(`/${lease.toString(16)}`);
}

/**
 * The writes that give every queue the source's order, in steps: all writes of a step may be done together, and must be done
 * before the next step. Of each queue there is one write in a step at most.
 */
export function queueSteps(keys: readonly QueueKey[], isSame: (pair: QueueKey) => boolean): Write[][] {
  const queues = new Map<string, QueueKey[]>();
  for (const pair of keys) {
    const name = pair.source.key.slice(0, pair.source.key.lastIndexOf("/"));
    const queue = queues.get(name);
    if (queue === undefined) queues.set(name, [pair]);
    else queue.push(pair);
  }
  const steps: Write[][] = [];
  for (const queue of queues.values()) {
    for (const [step, write] of writesOf(queue, isSame).entries()) {
      const others = steps[step];
      if (others === undefined) steps.push([write]);
      else others.push(write);
    }
  }
  return steps;
}

/** Oldest first. A key that is not younger at the target than the ones before it is made anew, and so are all behind it. */
function writesOf(queue: readonly QueueKey[], isSame: (pair: QueueKey) => boolean): Write[] {
  const oldestFirst = [...queue].sort((a, b) => a.source.createRevision - b.source.createRevision);
  const writes: Write[] = [];
  let newest = 0;
  for (const pair of oldestFirst) {
    const { source, target } = pair;
    const { key } = source;
    if (target !== undefined && target.createRevision > newest) {
      newest = target.createRevision;
      if (!isSame(pair)) writes.push({ key, seenRevision: target.modRevision, wanted: source });
      continue;
    }
    newest = Number.POSITIVE_INFINITY;
    if (target !== undefined) writes.push({ key, seenRevision: target.modRevision, wanted: undefined });
    writes.push({ key, seenRevision: 0, wanted: source });
  }
  return writes;
}
