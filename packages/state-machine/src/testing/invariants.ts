/**
 * What has to be true of a machine's parts between any two commands.
 */
import type { PackedKeyValue } from "@holdfast/protocol";
import { KeyHistory } from "../key-history.js";
import type { KeySpace } from "../key-space.js";
import type { LeaseTable } from "../leases.js";
import { indexChunkKeysMax, recordOverheadBytes } from "../limits.js";
import type { KeyVersion } from "../types.js";

/** What is wrong; nothing if all is well. */
export function violations(keys: KeySpace, leases: LeaseTable): string[] {
  const histories = keys.index.chunks
    .flatMap((chunk) => chunk.entries())
    .map((number) => new KeyHistory(number, keys.histories.key(number), keys.histories));
  return [
    ...indexViolations(keys, histories),
    ...histories.flatMap(historyViolations),
    ...eventViolations(keys),
    ...leaseViolations(keys, leases, histories),
  ];
}

function indexViolations(keys: KeySpace, histories: readonly KeyHistory[]): string[] {
  const found: string[] = [];
  for (const chunk of keys.index.chunks) {
    const { length, liveCount } = chunk;
    if (length === 0 || length > indexChunkKeysMax) found.push(`chunk of ${length} keys`);
    const live = chunk.entries().filter((number) => keys.histories.isLive(number));
    if (liveCount !== live.length) found.push("wrong live count of a chunk");
  }
  for (const [position, history] of histories.entries()) {
    if (position > 0 && histories[position - 1]!.key >= history.key) found.push(`index not sorted at ${history.key}`);
    if (keys.history(history.key)?.number !== history.number) found.push(`index and map differ at ${history.key}`);
  }
  if (keys.knownCount !== histories.length) found.push("index and map differ in size");
  if (keys.liveCount !== histories.filter((history) => history.isLive).length) found.push("wrong live count");
  const bytes = histories.flatMap((history) => history.versions()).reduce((sum, one) => sum + reckonedBytes(one), 0);
  if (keys.bytes !== bytes) found.push(`bytes ${keys.bytes}, should be ${bytes}`);
  return found;
}

function historyViolations(history: KeyHistory): string[] {
  const found: string[] = [];
  let previous: KeyVersion | undefined;
  for (const version of history.versions()) {
    if (version.key !== history.key) found.push(`version of another key in ${history.key}`);
    if (previous !== undefined && !succeeds(previous, version)) found.push(`wrong succession in ${history.key}`);
    previous = version;
  }
  return found;
}

function succeeds(previous: KeyVersion, next: KeyVersion): boolean {
  if (next.modRevision < previous.modRevision) return false;
  if (next.version === 0) return previous.version > 0;
  if (previous.version === 0) return next.version === 1 && next.createRevision === next.modRevision;
  return next.version === previous.version + 1 && next.createRevision === previous.createRevision;
}

function eventViolations(keys: KeySpace): string[] {
  const found: string[] = [];
  const { events } = keys;
  for (let position = events.start; position < events.end; position++) {
    const event = events.at(position);
    const step =
      event.modRevision - (position === events.start ? event.modRevision : events.at(position - 1).modRevision);
    if (step < 0 || step > 1) found.push(`revision left out before ${event.modRevision}`);
    const isReadable = event.modRevision >= keys.compactRevision;
    if (
      isReadable &&
      !keys
        .history(event.key)
        ?.versions()
        .some((one) => isSame(one, event))
    )
      found.push(`lost version of ${event.key}`);
  }
  const last = events.start === events.end ? undefined : events.at(events.end - 1);
  if (last !== undefined && last.modRevision !== keys.revision) found.push("revision without events");
  return found;
}

/** Whether both are the same bytes at the same place. */
function isSame(left: PackedKeyValue, right: PackedKeyValue): boolean {
  return left.memory === right.memory && left.start === right.start;
}

function reckonedBytes({ key, value }: KeyVersion): number {
  return key.length + value.length + recordOverheadBytes;
}

function leaseViolations(keys: KeySpace, leases: LeaseTable, histories: readonly KeyHistory[]): string[] {
  const found: string[] = [];
  let keyCount = 0;
  for (const { leaseId, keys: attached } of leases.all()) {
    keyCount += attached.size;
    for (const key of attached) {
      if (keys.live(key)?.lease !== leaseId) found.push(`lease ${leaseId} holds ${key}, which does not know`);
    }
  }
  if (leases.keyCount !== keyCount) found.push(`${keyCount} keys are counted as ${leases.keyCount}`);
  for (const { latest } of histories) {
    if (latest.lease === 0n) continue;
    if (!leases.find(latest.lease)?.keys.has(latest.key)) found.push(`${latest.key} is not with lease ${latest.lease}`);
  }
  return found;
}
