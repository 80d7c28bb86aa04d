/**
 * Which commands of the log a call stands for. A call is found in the log again by what it asked for, which is unique as
 * soon as it holds a value or the id of a lease; where it is not, time decides (`matching.ts`).
 */
import { CompareResult, CompareTarget, type PutRequest, type RequestOp, type TxnRequest } from "@holdfast/protocol";
import { type Command, encodeCommand } from "@holdfast/state-machine";
import type { Call, CallOf } from "../history/calls.js";
import { joining, leaseOfKey, proclaiming, resigning, unlocking } from "../model/index.js";

/** A command that a call stands for. */
export interface Want {
  readonly call: Call;
  /** `main`: the answer to the call is what came of it, unless it is the first step of a wait. */
  readonly part: "main" | "lease" | "join" | "replacement";
  /** What it looks like in the log; see `looksOf`. */
  readonly look: string;
}

const zeroLease = 0n;

/**
 * How a command of the log may have been asked for: exactly as it is, or by a call that left the choice of the lease to
 * the server.
 */
export function looksOf(command: Command): readonly string[] {
  switch (command.kind) {
    case "leaseGrant":
      return [`grant ${command.leaseId}`, "grant of any id"];
    case "txn":
      return [exact(command), ...looksWithoutLease(command.request)];
    default:
      return [exact(command)];
  }
}

/** Whether a transaction asks for nothing but ranges at its top level: no command is made of it (TXN-17). */
export function isReadOnly(request: TxnRequest): boolean {
  return [...request.success, ...request.failure].every(({ requestRange }) => requestRange !== undefined);
}

/** What `call` stands for in the log, as far as that can be told before anything is known of the log. */
export function wantsOf(call: Call): Want[] {
  switch (call.kind) {
    case "put":
      return [main(call, exact({ kind: "put", request: call.request }))];
    case "deleteRange":
      return [main(call, exact({ kind: "deleteRange", request: call.request }))];
    case "txn":
      return isReadOnly(call.request) ? [] : [main(call, exact({ kind: "txn", request: call.request }))];
    case "compact":
      return [main(call, exact({ kind: "compact", revision: call.request.revision }))];
    case "leaseGrant":
      return [main(call, lookOfGrant(call.request.id !== zeroLease ? call.request.id : grantedId(call)))];
    case "leaseRevoke":
      return [main(call, exact({ kind: "leaseRevoke", leaseId: call.request.id }))];
    case "unlock":
      return [main(call, exact(unlocking(call.request.key)))];
    case "resign":
      return call.request.leader === undefined
        ? []
        : [main(call, exact(resigning(call.request.leader.key, call.request.leader.rev)))];
    case "lock":
    case "campaign":
      return joinWants(call);
    case "proclaim":
      return proclaimWants(call);
    default:
      return [];
  }
}

/** The new value of a campaign whose key was there already with another (ELECT-8). */
export function replacementWant(call: CallOf<"campaign">, createRevision: number, lease: bigint): Want {
  const key = joinedKey(call, lease);
  return { call, part: "replacement", look: exact(proclaiming(key, createRevision, lease, call.request.value)) };
}

/** The lease that a call for a lock or an election had; undefined if the server chose it and did not say. */
export function leaseOf(call: CallOf<"lock"> | CallOf<"campaign">): bigint | undefined {
  if (call.request.lease !== zeroLease) return call.request.lease;
  if (call.result?.fate !== "done") return undefined;
  if (call.kind === "campaign") return call.result.response.leader?.lease;
  return leaseOfKey(call.request.name, call.result.response.key);
}

function joinedKey(call: CallOf<"campaign">, lease: bigint): PutRequest["key"] {
  const command = joining(call.request.name, lease, call.request.value);
  return (command.kind === "txn" ? command.request.compare[0]?.key : undefined) ?? call.request.name;
}

function main(call: Call, look: string): Want {
  return { call, part: "main", look };
}

function exact(command: Command): string {
  return Buffer.from(encodeCommand(command)).toString("latin1");
}

function grantedId(call: CallOf<"leaseGrant">): bigint | undefined {
  return call.result?.fate === "done" ? call.result.response.id : undefined;
}

function lookOfGrant(id: bigint | undefined): string {
  return id === undefined ? "grant of any id" : `grant ${id}`;
}

function joinWants(call: CallOf<"lock"> | CallOf<"campaign">): Want[] {
  const lease = leaseOf(call);
  const value = call.kind === "campaign" ? call.request.value : new Uint8Array(0);
  const look =
    lease === undefined ? lookOfJoin(call.request.name, value) : exact(joining(call.request.name, lease, value));
  const join: Want = { call, part: "join", look };
  return call.request.lease === zeroLease ? [{ call, part: "lease", look: lookOfGrant(lease) }, join] : [join];
}

/** ELECT-16: without a lease the server makes one, and does not tell. */
function proclaimWants(call: CallOf<"proclaim">): Want[] {
  const { leader, value } = call.request;
  if (leader === undefined) return [];
  if (leader.lease !== zeroLease) return [main(call, exact(proclaiming(leader.key, leader.rev, leader.lease, value)))];
  const look = lookOfGuardedPut(leader.key, leader.rev, value);
  return [{ call, part: "lease", look: lookOfGrant(undefined) }, main(call, look)];
}

/** Transactions that put one key in a certain life of it are also told apart without their lease. */
function looksWithoutLease({ compare, success, failure }: TxnRequest): string[] {
  const [guard, ...otherGuards] = compare;
  const put = onlyPut(success);
  if (guard === undefined || otherGuards.length > 0 || put === undefined || put.lease === zeroLease) return [];
  const isCreateGuard = guard.target === CompareTarget.CREATE && guard.result === CompareResult.EQUAL;
  if (!isCreateGuard || guard.key !== put.key) return [];
  if (failure.length === 0) return [lookOfGuardedPut(put.key, guard.createRevision ?? 0, put.value)];
  const hex = put.lease.toString(16);
  return put.key.endsWith(`/${hex}`) ? [lookOfJoin(put.key.slice(0, -hex.length - 1), put.value)] : [];
}

function onlyPut(operations: readonly RequestOp[]): PutRequest | undefined {
  return operations.length === 1 ? operations[0]?.requestPut : undefined;
}

function lookOfJoin(name: string, value: Uint8Array): string {
  return `join ${name} ${Buffer.from(value).toString("latin1")}`;
}

function lookOfGuardedPut(key: string, createRevision: number, value: Uint8Array): string {
  return `put ${createRevision} ${key} ${Buffer.from(value).toString("latin1")}`;
}
