/**
 * Locks and elections as what their users rely on: one owner per name. An owner is granted the name while nobody has it; it
 * loses it by giving it back, by deletion of its key, and by the end of its lease, as soon as that may end.
 */
import type { ByteString, RequestOp } from "@holdfast/protocol";
import type { Call } from "../history/calls.js";
import type { History } from "../history/history.js";
import { type Interval, isWithin, leaseOfKey, prefixOf } from "../model/index.js";
import { type Answered, answered, nameOf } from "./answers.js";
import { earliestOf, type LeaseRecord, leaseRecords, ordersBefore } from "./lease-record.js";
import type { Operation, SearchTask } from "./search.js";

/** The key that owns the name; "" for nobody. */
type Owner = string;

/** A search for each name. */
export function lockTasks(history: History): { name: string; task: Omit<SearchTask<Owner>, "statesMax"> }[] {
  const names = new Set<ByteString>();
  for (const call of history.calls) if (call.kind === "lock" || call.kind === "campaign") names.add(call.request.name);
  const records = leaseRecords(history.calls);
  const orderBefore = ordersBefore(history.calls);
  return [...names].map((name) => {
    const grants = history.calls.flatMap((call) => grantOf(call, name));
    const releases = history.calls.flatMap((call) => releaseOf(call, name));
    const ends = endsOf(grants, name, records, orderBefore);
    const operations = [...grants.map(({ operation }) => operation), ...releases, ...ends];
    return { name, task: { operations, initial: "", fingerprint: (owner: Owner) => owner } };
  });
}

interface GrantOperation {
  readonly key: ByteString;
  readonly operation: Operation<Owner>;
}

function grantOf(call: Call, name: ByteString): GrantOperation[] {
  const answer = answered(call);
  const key = answer && keyGranted(answer, name);
  if (key === undefined) return [];
  const step = (owner: Owner): Owner | undefined => (owner === "" || owner === key ? key : undefined);
  return [{ key, operation: operationOf(call, true, step) }];
}

function keyGranted(answer: Answered, name: ByteString): ByteString | undefined {
  if (answer.kind === "lock") return answer.request.name === name ? answer.response.key : undefined;
  if (answer.kind !== "campaign" || answer.request.name !== name) return undefined;
  return answer.response.leader?.key;
}

/** Whatever may have deleted keys of the name. A caller that goes away takes its key with it (LOCK-15). */
function releaseOf(call: Call, name: ByteString): Operation<Owner>[] {
  const isDone = call.result?.fate === "done";
  if (call.result?.fate === "refused") return [];
  switch (call.kind) {
    case "unlock":
      return [releasing(call, isDone, (key) => key === call.request.key)];
    case "resign":
      // Only in the life that it names (ELECT-20), so it may do nothing.
      return [releasing(call, false, (key) => key === call.request.leader?.key)];
    case "leaseRevoke":
      return [releasing(call, isDone, (key) => leaseOfKey(name, key as ByteString) === call.request.id)];
    case "deleteRange":
      return [releasing(call, isDone, (key) => isWithin(call.request, key as ByteString))];
    case "txn":
      return deletedIn([...call.request.success, ...call.request.failure]).map((interval) => {
        return releasing(call, false, (key) => isWithin(interval, key as ByteString));
      });
    case "lock":
    case "campaign":
      return isDone || call.request.name !== name ? [] : [releasing(call, false, (key) => isOfCall(call.request, key))];
    default:
      return [];
  }
}

function isOfCall({ name, lease }: { readonly name: ByteString; readonly lease: bigint }, key: string): boolean {
  return key.startsWith(prefixOf(name)) && (lease === 0n || leaseOfKey(name, key as ByteString) === lease);
}

function deletedIn(operations: readonly RequestOp[]): Interval[] {
  return operations.flatMap(({ requestDeleteRange, requestTxn }) => {
    if (requestTxn !== undefined) return deletedIn([...requestTxn.success, ...requestTxn.failure]);
    return requestDeleteRange === undefined ? [] : [requestDeleteRange];
  });
}

function releasing(call: Call, required: boolean, isReleased: (key: string) => boolean): Operation<Owner> {
  return operationOf(call, required, (owner) => (owner !== "" && isReleased(owner) ? "" : owner));
}

function operationOf(call: Call, required: boolean, step: Operation<Owner>["step"]): Operation<Owner> {
  const to = call.result?.fate === "done" ? (call.ended?.order ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
  return {
    name: nameOf(call),
    from: call.invoked.order,
    to,
    required,
    isRead: false,
    isPast: () => false,
    after: undefined,
    step,
  };
}

/** The ends of the leases behind the keys that were granted, from the first moment at which they are allowed. */
function endsOf(
  grants: readonly GrantOperation[],
  name: ByteString,
  records: ReadonlyMap<bigint, LeaseRecord>,
  orderBefore: (ms: number) => number,
): Operation<Owner>[] {
  const keys = new Set(grants.map(({ key }) => key));
  return [...keys].flatMap((key) => {
    const lease = leaseOfKey(name, key);
    const record = lease === undefined ? undefined : records.get(lease);
    const from = record === undefined || record.grants > 1 ? 0 : orderBefore(earliestOf(record));
    const step = (owner: Owner): Owner => (owner === key ? "" : owner);
    const times = Math.max(1, record?.grants ?? 1);
    const to = Number.POSITIVE_INFINITY;
    const end = {
      name: `end of the lease of ${JSON.stringify(key)}`,
      from,
      to,
      required: false,
      isRead: false,
      isPast: () => false,
      after: undefined,
      step,
    };
    return Array.from({ length: times }, () => ({ ...end }));
  });
}
