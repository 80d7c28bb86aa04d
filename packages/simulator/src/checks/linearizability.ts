/**
 * C3, without a log: is there any order of the calls, true to real time, in which the model gives every answer (I2)? Two
 * searches: one for keys, transactions, leases and all else that a store holds, and one for each name of a lock or an
 * election. What is too long is searched up to a point in time; what takes too long is given up, and said to be.
 */
import type { Call } from "../history/calls.js";
import type { History } from "../history/history.js";
import { emptyStore, type Store } from "../model/index.js";
import type { Evidence } from "./evidence.js";
import { type Finding, FindingBuilder } from "./finding.js";
import { Fingerprints } from "./fingerprints.js";
import { lockTasks } from "./lock-operations.js";
import { type SearchResult, search } from "./search.js";
import { StoreOperations } from "./store-operations.js";

/** How much is searched. Where the log bears witness to the whole (C2), a beginning is enough. */
const callsMaxWithLog = 200;
const callsMaxWithoutLog = 1000;
const statesMin = 100;
const statesPerCallWithLog = 10;
const statesPerCallWithoutLog = 20;

export function checkLinearizability({ history, hasLog }: Evidence): Finding {
  const builder = new FindingBuilder("C3");
  const calls = beginningOf(history.calls, hasLog ? callsMaxWithLog : callsMaxWithoutLog);
  builder.count("calls searched", calls.length);
  builder.count("calls not searched", history.calls.length - calls.length);
  const limit = hasLog ? statesPerCallWithLog : statesPerCallWithoutLog;
  const statesMax = statesMin + limit * calls.length;
  searchStore({ ...history, calls }, statesMax, builder);
  for (const { name, task } of lockTasks({ ...history, calls })) {
    tell(search({ ...task, statesMax }), `owners of ${JSON.stringify(name)}`, builder);
  }
  return builder.finding();
}

function searchStore(history: History, statesMax: number, builder: FindingBuilder): void {
  const { calls } = history;
  const obstacle = calls.find(isOfUnknownLease);
  if (obstacle !== undefined) {
    builder.gaveUp(`keys: the server chose a lease for call ${obstacle.id} and nobody knows whether`);
    return;
  }
  const all = new StoreOperations(calls);
  const operations = [...calls.flatMap((call) => all.of(call)), ...all.expiries()];
  const fingerprints = new Fingerprints(calls);
  const fingerprint = (store: Store): string => fingerprints.of(store);
  const task = { operations, initial: emptyStore, fingerprint, statesMax };
  tell(search(task), "keys and leases", builder);
}

function tell({ result, states, furthest }: SearchResult, what: string, builder: FindingBuilder): void {
  builder.count("searches");
  builder.count("states", states);
  if (result === "gave up") builder.gaveUp(`${what}: ${states} states were not enough`);
  if (result !== "no order") return;
  const next = furthest.stuck.slice(0, 5).join("; ");
  builder.violation(
    "I2",
    `there is no legal order for ${what}: after ${furthest.placed} operations none of these can come: ${next}`,
  );
}

/** Keys that hang on a lease of which nothing is known would be in the way of everything. */
function isOfUnknownLease(call: Call): boolean {
  const isUnknown = call.result === undefined || call.result.fate === "unknown";
  if (call.kind === "lock" || call.kind === "campaign") return isUnknown && call.request.lease === 0n;
  return call.kind === "proclaim" && call.result?.fate !== "refused" && call.request.leader?.lease === 0n;
}

/**
 * The calls made up to some point in time, at most so many. What was answered later is open then, and what was made later
 * cannot have mattered before.
 */
function beginningOf(calls: readonly Call[], callsMax: number): readonly Call[] {
  const byStart = [...calls].sort((left, right) => left.invoked.order - right.invoked.order);
  const next = byStart[callsMax];
  if (next === undefined) return byStart;
  return byStart
    .slice(0, callsMax)
    .map((call) => (isOverBefore(call, next) ? call : { ...call, ended: undefined, result: undefined }));
}

function isOverBefore({ ended }: Call, { invoked }: Call): boolean {
  return ended !== undefined && ended.order < invoked.order;
}
