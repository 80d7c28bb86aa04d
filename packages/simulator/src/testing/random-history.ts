/**
 * Right histories at random: clients that make one call after the other on few keys and two locks, a server that stores in
 * any order, answers that come late or never, leases that run out, watches from anywhere.
 */
import {
  type ByteString,
  CompareTarget,
  createCompare,
  createDeleteRangeRequest,
  createPutRequest,
  createRangeRequest,
  createRequestOp,
  createTxnRequest,
} from "@holdfast/protocol";
import type { Call } from "../history/calls.js";
import { type DraftHistory, HistoryMaker } from "./history-maker.js";

/** A small generator of numbers below `limit`, from a seed. */
export function numbersFrom(seed: number): (limit: number) => number {
  let state = (seed * 2654435761 + 1) >>> 0;
  return (limit) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % limit;
  };
}

const key = (text: string): ByteString => text as ByteString;
const bytes = (text: string): Uint8Array => Buffer.from(text);
const ttlSeconds = 1;

interface Pending {
  readonly call: Call;
  isApplied: boolean;
  /** Delivers the answer. */
  deliver: (() => void) | undefined;
}

/** What a random history is made of. */
export interface RandomHistoryOptions {
  readonly seed: number;
  readonly clients: number;
  readonly calls: number;
  /** One of so many calls is never answered. */
  readonly lostOneOf?: number;
}

/** Makes one. */
export function randomHistory({ seed, clients, calls, lostOneOf = 15 }: RandomHistoryOptions): DraftHistory {
  const below = numbersFrom(seed);
  const maker = new HistoryMaker();
  const pending: (Pending | undefined)[] = Array.from({ length: clients });
  const every = [maker.watch(90, { key: key("a"), rangeEnd: key("z"), prevKv: true })];
  let seen = maker.machine.revision;
  let quiet = 0;

  const step = (client: number): void => {
    const now = pending[client];
    if (now === undefined) {
      if (maker.calls.length >= calls) {
        quiet++;
        return;
      }
      const call = invoke(maker, client, below);
      pending[client] = { call, isApplied: false, deliver: undefined };
    } else if (below(lostOneOf) === 0 && !isOfLock(now.call)) {
      if (!now.isApplied && below(2) === 0) maker.apply(now.call);
      maker.lose(now.call as never);
      pending[client] = undefined;
    } else if (!now.isApplied) {
      applyNow(maker, now);
    } else if (isReady(maker, now.call)) {
      now.deliver?.();
      pending[client] = undefined;
    }
  };

  while (quiet < 40 * clients) {
    if (below(40) === 0) expireOne(maker, below);
    step(below(clients));
    const { revision } = maker.machine;
    for (; seen < revision; seen++) for (const watch of every) maker.deliver(watch, seen + 1);
    if (below(25) === 0) for (const watch of every) maker.progress(watch);
    if (below(60) === 0 && every.length < 6) every.push(maker.watch(90 + every.length, { key: key("a") }));
  }
  for (const watch of every) watch.caughtUp = true;
  return maker.history();
}

function isOfLock(call: Call): boolean {
  return call.kind === "lock";
}

function applyNow(maker: HistoryMaker, now: Pending): void {
  maker.apply(now.call);
  now.isApplied = true;
  now.deliver = isOfLock(now.call) ? undefined : maker.respond(now.call);
  if (isOfLock(now.call)) now.deliver = () => settleLock(maker, now.call);
}

/** Granted if it is the oldest; refused if its key is gone. */
function settleLock(maker: HistoryMaker, call: Call): void {
  if (call.kind !== "lock") return;
  if (lockState(maker, call) === "owner") maker.answer(call);
  else maker.refuse(call, "mutex: session is expired");
}

function isReady(maker: HistoryMaker, call: Call): boolean {
  return call.kind !== "lock" || lockState(maker, call) !== "waits";
}

function lockState(maker: HistoryMaker, call: Extract<Call, { kind: "lock" }>): "owner" | "waits" | "gone" {
  const name = `${call.request.name}/${call.request.lease.toString(16)}` as ByteString;
  if (maker.machine.get(name) === undefined) return "gone";
  return maker.owner(call.request.name)?.key === name ? "owner" : "waits";
}

/** Three at a time, and other ones after every thirty calls, some of them negative. */
function someLease(maker: HistoryMaker, below: (limit: number) => number): bigint {
  const number = BigInt(10 + 3 * Math.floor(maker.calls.length / 30) + below(3));
  return number % 2n === 0n ? number : -number;
}

/** Leases that the clients have granted run out when their time has come. */
function expireOne(maker: HistoryMaker, below: (limit: number) => number): void {
  const living = [...maker.machine.leases()];
  const lease = living[below(Math.max(1, living.length))];
  if (lease === undefined) return;
  maker.pass(ttlSeconds * 1000 + 100);
  maker.expire(lease.leaseId);
}

function invoke(maker: HistoryMaker, client: number, below: (limit: number) => number): Call {
  const tag = bytes(`c${client}-${maker.calls.length + 1}`);
  const name = key(["a", "b", "c", "__proto__", "x/1"][below(5)]!);
  const lease = someLease(maker, below);
  const range = createRangeRequest({ key: name, rangeEnd: key(below(2) === 0 ? "" : "z") });
  const put = createPutRequest({ key: name, value: tag, prevKv: below(2) === 0 });
  const choices: (() => unknown)[] = [
    () => maker.invoke(client, "put", put),
    () => maker.invoke(client, "put", { ...put, lease }),
    () => maker.invoke(client, "range", range),
    () => maker.invoke(client, "range", { ...range, revision: Math.max(1, maker.machine.revision - below(5)) }),
    () => maker.invoke(client, "deleteRange", createDeleteRangeRequest({ key: name, prevKv: true })),
    () => maker.invoke(client, "txn", transaction(put, range, below)),
    () => maker.invoke(client, "leaseGrant", { id: lease, ttl: ttlSeconds }),
    () => maker.invoke(client, "leaseKeepAlive", { id: lease }),
    () => maker.invoke(client, "leaseTimeToLive", { id: lease, keys: true }),
    () => maker.invoke(client, "lock", { name: key("L"), lease }),
    () => maker.invoke(client, "unlock", { key: key(`L/${lease.toString(16)}`) }),
    () => (below(4) === 0 ? maker.invoke(client, "leaseRevoke", { id: lease }) : maker.invoke(client, "range", range)),
    () => maker.invoke(client, "compact", { revision: maker.machine.revision - below(4), physical: false }),
  ];
  return choices[below(choices.length)]!() as Call;
}

function transaction(
  put: ReturnType<typeof createPutRequest>,
  range: ReturnType<typeof createRangeRequest>,
  below: (limit: number) => number,
): ReturnType<typeof createTxnRequest> {
  const nested = createTxnRequest({
    success: [createRequestOp({ requestPut: put }), createRequestOp({ requestRange: range })],
  });
  return createTxnRequest({
    compare: [createCompare({ key: put.key, target: CompareTarget.VERSION, version: below(3), result: below(3) })],
    success: [createRequestOp({ requestTxn: nested })],
    failure: [createRequestOp({ requestRange: range })],
  });
}
