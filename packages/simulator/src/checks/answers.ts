/** Answers compared and looked into, whatever their kind. */
import {
  etcdErrors,
  etcdTexts,
  type KeyValue,
  PackedKeyValue,
  type ResponseHeader,
  type ResponseOp,
} from "@holdfast/protocol";
import type { Refusal } from "@holdfast/state-machine";
import type { Call, CallKind, CallOf, CallTypes } from "../history/calls.js";

/** Who answered is no part of an answer. */
const identityFields: ReadonlySet<string> = new Set(["clusterId", "memberId", "raftTerm"]);

/** Whether two messages say the same, apart from who says it. */
export function sameAnswer(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (left instanceof Uint8Array || right instanceof Uint8Array) {
    return left instanceof Uint8Array && right instanceof Uint8Array && Buffer.compare(left, right) === 0;
  }
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, at) => sameAnswer(item, right[at]));
  }
  if (left instanceof PackedKeyValue) return sameAnswer(left.unpacked(), right);
  if (right instanceof PackedKeyValue) return sameAnswer(left, right.unpacked());
  if (!isRecord(left) || !isRecord(right)) return false;
  const fields = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...fields].every((field) => identityFields.has(field) || sameAnswer(left[field], right[field]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** A message for people to read: bytes and keys as text, nothing that is zero or absent. */
export function show(message: unknown): string {
  return JSON.stringify(message, (field, value: unknown) => {
    if (identityFields.has(field)) return undefined;
    if (typeof value === "bigint") return value === 0n ? undefined : String(value);
    if (isRecord(value) && value.type === "Buffer" && Array.isArray(value.data))
      return textOf(Uint8Array.from(value.data));
    if (value instanceof Uint8Array) return textOf(value);
    if (value instanceof PackedKeyValue) return value.unpacked();
    return value === 0 || value === false || value === "" || value === null ? undefined : value;
  });
}

function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  return text.length > 80 ? `${text.slice(0, 80)}… (${text.length} bytes)` : text;
}

/** A call for people to read. */
export function nameOf(call: Call): string {
  return `call ${call.id} (${call.kind} by ${call.client} on connection ${call.connection})`;
}

/** A call that was answered with OK, with its answer at hand. */
export type Answered = {
  readonly [Kind in CallKind]: {
    readonly kind: Kind;
    readonly call: CallOf<Kind>;
    readonly request: CallTypes[Kind]["request"];
    readonly response: CallTypes[Kind]["response"];
    /** When it had been answered, as an order. */
    readonly ended: number;
  };
}[CallKind];

/** The call with its answer; undefined if it was not answered with OK. */
export function answered(call: Call): Answered | undefined {
  const { kind, request, result, ended } = call;
  if (result?.fate !== "done" || ended === undefined) return undefined;
  // What belongs to one kind belongs together.
  return { kind, call, request, response: result.response, ended: ended.order } as Answered;
}

/** All calls that were answered with OK, in the order in which they were made. */
export function allAnswered(calls: readonly Call[]): Answered[] {
  return calls.map(answered).filter((call) => call !== undefined);
}

/** The revision in the header of an answer. */
export function headerRevision({
  response,
}: {
  readonly response: { readonly header: ResponseHeader | undefined };
}): number {
  return response.header?.revision ?? 0;
}

/** Whether the answer says that its call changed something, and so made the revision in its header. */
export function hasWritten(answer: Answered): boolean {
  switch (answer.kind) {
    case "put":
    case "proclaim":
      return true;
    case "deleteRange":
      return answer.response.deleted > 0;
    case "txn":
      return haveWritten(answer.response.responses);
    default:
      return false;
  }
}

function haveWritten(operations: readonly ResponseOp[]): boolean {
  return operations.some(({ responsePut, responseDeleteRange, responseTxn }) => {
    if (responseTxn !== undefined) return haveWritten(responseTxn.responses);
    return responsePut !== undefined || (responseDeleteRange?.deleted ?? 0) > 0;
  });
}

/** How a refusal of the state reads on the wire. */
export function textOfRefusal(refusal: Refusal): string | undefined {
  return refusalTexts[refusal];
}

const refusalTexts: Partial<Record<Refusal, string>> = {
  "key-not-found": etcdErrors.keyNotFound.wireMessage,
  "lease-not-found": etcdErrors.leaseNotFound.wireMessage,
  "lease-exists": etcdErrors.leaseExist.wireMessage,
  "lease-ttl-too-large": etcdErrors.leaseTtlTooLarge.wireMessage,
  compacted: etcdErrors.compacted.wireMessage,
  "future-revision": etcdErrors.futureRev.wireMessage,
  "operation-not-set": etcdErrors.keyNotFound.wireMessage,
  "no-space": etcdErrors.noSpace.wireMessage,
};

/** Texts that tell something about the state, so that there must have been such a state. */
export const statefulTexts: ReadonlySet<string> = new Set([
  etcdErrors.leaseNotFound.wireMessage,
  etcdErrors.leaseExist.wireMessage,
  etcdErrors.compacted.wireMessage,
  etcdErrors.futureRev.wireMessage,
  etcdTexts.electionNoLeader.wireMessage,
]);

/** A pair that an answer showed. */
export interface SeenPair {
  readonly pair: KeyValue;
  /** It was alive at this revision. */
  readonly aliveAt: number;
  /** False where value and lease were left out (KV-7). */
  readonly whole: boolean;
}

/** Every pair that an answer shows. */
export function pairsIn(answer: Answered): SeenPair[] {
  switch (answer.kind) {
    case "range": {
      const { revision, keysOnly } = answer.request;
      return seenIn(answer.response.kvs, revision > 0 ? revision : headerRevision(answer), !keysOnly);
    }
    case "put":
      return seenBefore(answer.response.prevKv === undefined ? [] : [answer.response.prevKv], headerRevision(answer));
    case "deleteRange":
      return seenBefore(answer.response.prevKvs, headerRevision(answer));
    case "leader":
      return seenIn(answer.response.kv === undefined ? [] : [answer.response.kv], headerRevision(answer), true);
    case "txn":
      return pairsInOperations(answer.response.responses);
    default:
      return [];
  }
}

function seenIn(pairs: readonly KeyValue[], aliveAt: number, whole: boolean): SeenPair[] {
  return pairs.map((pair) => ({ pair, aliveAt, whole }));
}

/** Pairs as they were before a change. */
function seenBefore(pairs: readonly KeyValue[], changeRevision: number): SeenPair[] {
  return pairs.map((pair) => ({ pair, aliveAt: Math.max(pair.modRevision, changeRevision - 1), whole: true }));
}

/** Of a range within a transaction it is not known here what it asked for, so only what is sure is told. */
function pairsInOperations(operations: readonly ResponseOp[]): SeenPair[] {
  return operations.flatMap(({ responseRange, responsePut, responseDeleteRange, responseTxn }) => {
    if (responseRange !== undefined) {
      return responseRange.kvs.map((pair) => ({ pair, aliveAt: pair.modRevision, whole: false }));
    }
    if (responsePut?.prevKv !== undefined)
      return [{ pair: responsePut.prevKv, aliveAt: responsePut.prevKv.modRevision, whole: true }];
    if (responseDeleteRange !== undefined) {
      return responseDeleteRange.prevKvs.map((pair) => ({ pair, aliveAt: pair.modRevision, whole: true }));
    }
    return responseTxn === undefined ? [] : pairsInOperations(responseTxn.responses);
  });
}
