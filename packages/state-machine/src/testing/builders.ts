/**
 * Short ways to say what a test does. Texts stand for their bytes, one character per byte, so that keys and values of
 * any bytes can be written down.
 */
import assert from "node:assert/strict";
import {
  type ByteString,
  type Compare,
  createCompare,
  createDeleteRangeRequest,
  createPutRequest,
  createRangeRequest,
  createRequestOp,
  createTxnRequest,
  type DeleteRangeRequest,
  type DeleteRangeResponse,
  type PutRequest,
  type PutResponse,
  type RangeRequest,
  type RangeResponse,
  type RequestOp,
  type TxnRequest,
  type TxnResponse,
} from "@holdfast/protocol";
import { StateMachine } from "../state-machine.js";
import type { Command, KeyVersion, Outcome, Refusal } from "../types.js";

export function key(text: string): ByteString {
  return text as ByteString;
}

export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function text(value: Uint8Array): string {
  return String.fromCharCode(...value);
}

/** A request whose `key`, `rangeEnd` and `value` are given as texts. */
type Spoken<Message> = {
  readonly [Name in keyof Message]?: Name extends "key" | "rangeEnd" | "value" ? string : Message[Name];
};

export function putRequest(fields: Spoken<PutRequest>): PutRequest {
  return createPutRequest({ ...fields, key: key(fields.key ?? ""), value: bytes(fields.value ?? "") });
}

export function rangeRequest(fields: Spoken<RangeRequest>): RangeRequest {
  return createRangeRequest({ ...fields, key: key(fields.key ?? ""), rangeEnd: key(fields.rangeEnd ?? "") });
}

export function deleteRequest(fields: Spoken<DeleteRangeRequest>): DeleteRangeRequest {
  return createDeleteRangeRequest({ ...fields, key: key(fields.key ?? ""), rangeEnd: key(fields.rangeEnd ?? "") });
}

export function compare(fields: Spoken<Compare>): Compare {
  return createCompare({
    ...fields,
    key: key(fields.key ?? ""),
    rangeEnd: key(fields.rangeEnd ?? ""),
    value: fields.value === undefined ? undefined : bytes(fields.value),
  });
}

export function putOp(fields: Spoken<PutRequest>): RequestOp {
  return createRequestOp({ requestPut: putRequest(fields) });
}

export function rangeOp(fields: Spoken<RangeRequest>): RequestOp {
  return createRequestOp({ requestRange: rangeRequest(fields) });
}

export function deleteOp(fields: Spoken<DeleteRangeRequest>): RequestOp {
  return createRequestOp({ requestDeleteRange: deleteRequest(fields) });
}

export function txnOp(fields: Partial<TxnRequest>): RequestOp {
  return createRequestOp({ requestTxn: createTxnRequest(fields) });
}

/** A machine that is told in short and whose refusals are found by `refusal`. */
export class Driver {
  readonly machine: StateMachine;

  constructor(machine: StateMachine = new StateMachine()) {
    this.machine = machine;
  }

  get revision(): number {
    return this.machine.revision;
  }

  put(name: string, value = "", fields: Spoken<PutRequest> = {}): PutResponse {
    const outcome = this.machine.apply({ kind: "put", request: putRequest({ key: name, value, ...fields }) });
    assert.equal(outcome.kind, "put");
    return (outcome as { readonly response: PutResponse }).response;
  }

  delete(name: string, rangeEnd = "", fields: Spoken<DeleteRangeRequest> = {}): DeleteRangeResponse {
    const request = deleteRequest({ key: name, rangeEnd, ...fields });
    const outcome = this.machine.apply({ kind: "deleteRange", request });
    assert.equal(outcome.kind, "deleteRange");
    return (outcome as { readonly response: DeleteRangeResponse }).response;
  }

  range(name: string, rangeEnd = "", fields: Spoken<RangeRequest> = {}): RangeResponse {
    const outcome = this.machine.range(rangeRequest({ key: name, rangeEnd, ...fields }));
    assert.equal(outcome.kind, "range");
    return (outcome as { readonly response: RangeResponse }).response;
  }

  /** The keys that a range answers with, in order. */
  keys(name: string, rangeEnd = "", fields: Spoken<RangeRequest> = {}): string[] {
    return this.range(name, rangeEnd, fields).kvs.map((pair) => pair.key);
  }

  txn(fields: Partial<TxnRequest>): TxnResponse {
    const outcome = this.machine.apply({ kind: "txn", request: createTxnRequest(fields) });
    assert.equal(outcome.kind, "txn");
    return (outcome as { readonly response: TxnResponse }).response;
  }

  grant(leaseId: bigint, ttlSeconds = 60): void {
    assert.equal(this.machine.apply({ kind: "leaseGrant", leaseId, ttlSeconds }).kind, "leaseGrant");
  }

  revoke(leaseId: bigint): void {
    assert.equal(this.machine.apply({ kind: "leaseRevoke", leaseId }).kind, "leaseRevoke");
  }

  compact(revision: number): void {
    assert.equal(this.machine.apply({ kind: "compact", revision }).kind, "compact");
  }

  /** Applies a command that has to be refused and has to change nothing. */
  refusal(command: Command): Refusal {
    const before = this.revision;
    const outcome = this.machine.apply(command);
    assert.equal(outcome.kind, "refused");
    assert.equal(this.revision, before);
    assert.deepEqual(this.machine.changes, []);
    return (outcome as Extract<Outcome, { kind: "refused" }>).refusal;
  }

  /** As `refusal`, for a range. */
  rangeRefusal(name: string, fields: Spoken<RangeRequest> = {}): Refusal {
    const outcome = this.machine.range(rangeRequest({ key: name, ...fields }));
    assert.equal(outcome.kind, "refused");
    return (outcome as { readonly refusal: Refusal }).refusal;
  }

  /** The value of a live key; undefined when there is none. */
  value(name: string): string | undefined {
    const version = this.machine.get(key(name));
    return version === undefined ? undefined : text(version.value);
  }

  /** The live version of a key that has to exist. */
  live(name: string): KeyVersion {
    const version = this.machine.get(key(name));
    assert.ok(version !== undefined);
    return version;
  }

  /** The changes of the last command, as "PUT key" and "DELETE key". */
  changes(): string[] {
    return this.machine.changes.map(({ key: name, version }) => `${version === 0 ? "DELETE" : "PUT"} ${name}`);
  }
}
