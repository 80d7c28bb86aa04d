/**
 * The slow and obvious version of the core, for tests: a list of everything that ever happened, replayed for every
 * question. It is written from the rules and shares no code with the machine.
 */
import type {
  Compare,
  DeleteRangeRequest,
  DeleteRangeResponse,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  RequestOp,
  ResponseOp,
  TxnRequest,
  TxnResponse,
} from "@holdfast/protocol";
import type { Caller } from "../auth/auth-types.js";
import type { Command, KeyVersion, LeaseChange, Outcome, RangeOutcome, Refusal } from "../types.js";
import { ReferenceAuth } from "./reference-auth.js";

interface Grant {
  readonly leaseId: bigint;
  readonly ttlSeconds: number;
  readonly grantNumber: number;
}

/** A transaction with its compares decided. */
interface Decision {
  readonly succeeded: boolean;
  readonly operations: readonly RequestOp[];
  /** One per operation; undefined for those that are no transactions. */
  readonly nested: readonly (Decision | undefined)[];
}

type State = ReadonlyMap<string, KeyVersion>;

export class ReferenceModel {
  revision = 1;
  compactRevision = -1;
  appliedCommands = 0;
  changes: readonly KeyVersion[] = [];
  leaseChanges: LeaseChange[] = [];
  readonly auth = new ReferenceAuth();
  #facts: KeyVersion[] = [];
  #grants: Grant[] = [];

  apply(command: Command, caller?: Caller): Outcome {
    this.appliedCommands += 1;
    this.leaseChanges = [];
    const factsBefore = this.#facts.length;
    const refusal = this.auth.refusal(command, caller, { keysOf: (leaseId) => this.#keysOf(leaseId) });
    const outcome: Outcome = refusal === undefined ? this.#run(command) : { kind: "refused", refusal };
    this.changes = this.#facts.slice(factsBefore);
    if (this.changes.length > 0) this.revision += 1;
    return outcome;
  }

  range(request: RangeRequest): RangeOutcome {
    if (request.revision > this.revision) return { kind: "refused", refusal: "future-revision" };
    if (request.revision > 0 && request.revision < this.compactRevision) {
      return { kind: "refused", refusal: "compacted" };
    }
    return { kind: "range", response: this.#range(request) };
  }

  /** The live pairs at a revision, by key. */
  stateAt(revision: number): State {
    const state = new Map<string, KeyVersion>();
    for (const fact of this.#facts) {
      if (fact.modRevision > revision) break;
      if (fact.version === 0) state.delete(fact.key);
      else state.set(fact.key, fact);
    }
    return state;
  }

  /** Everything from a revision on, as one list per revision. */
  history(fromRevision: number): { revision: number; events: KeyVersion[] }[] {
    const result: { revision: number; events: KeyVersion[] }[] = [];
    for (let revision = fromRevision; revision <= this.revision; revision++) {
      const events = this.#facts.filter((fact) => fact.modRevision === revision);
      if (events.length > 0) result.push({ revision, events });
    }
    return result;
  }

  /** WATCH-25. */
  previousVersion(event: KeyVersion): KeyVersion | undefined {
    const isCreation = event.version > 0 && event.createRevision === event.modRevision;
    const revision = event.modRevision - 1;
    return isCreation || revision < this.compactRevision ? undefined : this.stateAt(revision).get(event.key);
  }

  /** Id, TTL, grant and sorted keys of every lease, oldest grant first. */
  leases(): { leaseId: bigint; ttlSeconds: number; grantNumber: number; keys: string[] }[] {
    return this.#grants.map((grant) => ({ ...grant, keys: this.#keysOf(grant.leaseId) }));
  }

  #run(command: Command): Outcome {
    switch (command.kind) {
      case "put": {
        const refusal = this.#putRefusal(command.request);
        return refusal ?? { kind: "put", response: this.#put(command.request) };
      }
      case "deleteRange":
        return { kind: "deleteRange", response: this.#delete(command.request) };
      case "txn":
        return this.#txn(command.request);
      case "compact":
        return this.#compact(command.revision);
      case "leaseGrant":
        return this.#grant(command.leaseId, command.ttlSeconds);
      case "leaseRevoke": {
        const grant = this.#find(command.leaseId);
        if (grant === undefined) return { kind: "refused", refusal: "lease-not-found" };
        this.#end(grant);
        return { kind: "leaseRevoke", response: { header: this.#header() } };
      }
      case "leaseExpire": {
        const grant = this.#find(command.leaseId);
        const ended = grant !== undefined && grant.grantNumber === command.grantNumber;
        if (ended) this.#end(grant);
        return { kind: "leaseExpire", ended };
      }
      case "alarm":
        return { kind: "alarm", alarms: this.auth.alarm(command) };
      default: {
        const refusal = this.auth.run(command);
        return refusal === undefined ? { kind: command.kind } : { kind: "refused", refusal };
      }
    }
  }

  #compact(revision: number): Outcome {
    if (revision <= this.compactRevision) return { kind: "refused", refusal: "compacted" };
    if (revision > this.revision) return { kind: "refused", refusal: "future-revision" };
    this.compactRevision = revision;
    return { kind: "compact", response: { header: this.#header() } };
  }

  #grant(leaseId: bigint, ttlSeconds: number): Outcome {
    if (leaseId === 0n) return { kind: "refused", refusal: "lease-not-found" };
    if (ttlSeconds > 9_000_000_000) return { kind: "refused", refusal: "lease-ttl-too-large" };
    if (this.#find(leaseId) !== undefined) return { kind: "refused", refusal: "lease-exists" };
    const grant = { leaseId, ttlSeconds, grantNumber: this.appliedCommands };
    this.#grants.push(grant);
    this.leaseChanges.push({ kind: "granted", lease: { ...grant, keys: new Set() } });
    return { kind: "leaseGrant", response: { header: this.#header(), id: leaseId, ttl: ttlSeconds, error: "" } };
  }

  #end(grant: Grant): void {
    for (const key of this.#keysOf(grant.leaseId)) this.#deleteKey(this.#now().get(key)!);
    this.#grants = this.#grants.filter((other) => other !== grant);
    this.leaseChanges.push({ kind: "ended", leaseId: grant.leaseId, grantNumber: grant.grantNumber });
  }

  #find(leaseId: bigint): Grant | undefined {
    return this.#grants.find((grant) => grant.leaseId === leaseId);
  }

  #keysOf(leaseId: bigint): string[] {
    if (this.#find(leaseId) === undefined) return [];
    const pairs = [...this.#now().values()].filter((pair) => pair.lease === leaseId);
    return pairs.map((pair) => pair.key).sort();
  }

  /** The state, with what the command under way did so far. */
  #now(): State {
    return this.stateAt(Number.POSITIVE_INFINITY);
  }

  #hasChanged(): boolean {
    return this.#facts.at(-1)?.modRevision === this.revision + 1;
  }

  #header(revision = this.#hasChanged() ? this.revision + 1 : this.revision) {
    return { clusterId: 0n, memberId: 0n, revision, raftTerm: 0 };
  }

  #putRefusal(request: PutRequest): { kind: "refused"; refusal: Refusal } | undefined {
    if (request.lease !== 0n && this.#find(request.lease) === undefined) {
      return { kind: "refused", refusal: "lease-not-found" };
    }
    const isMissing = !this.stateAt(this.revision).has(request.key);
    const needsKey = request.ignoreLease || request.ignoreValue;
    return needsKey && isMissing ? { kind: "refused", refusal: "key-not-found" } : undefined;
  }

  #put(request: PutRequest): PutResponse {
    const previous = this.#now().get(request.key);
    const kept = previous ?? this.stateAt(this.revision).get(request.key);
    const modRevision = this.revision + 1;
    this.#facts.push({
      key: request.key,
      value: request.ignoreValue ? kept!.value : request.value,
      lease: request.ignoreLease ? kept!.lease : request.lease,
      createRevision: previous?.createRevision ?? modRevision,
      modRevision,
      version: (previous?.version ?? 0) + 1,
    });
    return { header: this.#header(), prevKv: request.prevKv ? previous : undefined };
  }

  #delete(request: DeleteRangeRequest): DeleteRangeResponse {
    const pairs = select(this.#now(), request);
    for (const pair of pairs) this.#deleteKey(pair);
    return { header: this.#header(), deleted: pairs.length, prevKvs: request.prevKv ? pairs : [] };
  }

  #deleteKey(pair: KeyVersion): void {
    const modRevision = this.revision + 1;
    this.#facts.push({ key: pair.key, value: new Uint8Array(), createRevision: 0, modRevision, version: 0, lease: 0n });
  }

  #range(request: RangeRequest): RangeResponse {
    const all = select(this.stateAt(request.revision > 0 ? request.revision : Number.POSITIVE_INFINITY), request);
    const header = this.#header();
    if (request.countOnly) return { header, kvs: [], more: false, count: all.length };
    const passing = all.filter((pair) => passesFilters(pair, request));
    const sorted = sortAsAsked(passing, request);
    const more = request.limit > 0 && sorted.length > request.limit;
    const kvs = more ? sorted.slice(0, request.limit) : sorted;
    return { header, kvs: request.keysOnly ? kvs.map((pair) => keyOnly(pair, request)) : kvs, more, count: all.length };
  }

  #txn(request: TxnRequest): Outcome {
    const decision = decide(this.stateAt(this.revision), request);
    const refusal = this.#txnRefusal(decision);
    if (refusal !== undefined) return { kind: "refused", refusal };
    const response = this.#runDecision(decision);
    return { kind: "txn", response: { ...response, header: this.#header() } };
  }

  #txnRefusal(decision: Decision): Refusal | undefined {
    const refusals = decision.operations.map((operation, index): Refusal | undefined => {
      if (operation.requestRange !== undefined) return this.#txnRangeRefusal(operation.requestRange);
      if (operation.requestPut !== undefined) return this.#putRefusal(operation.requestPut)?.refusal;
      if (operation.requestDeleteRange !== undefined) return undefined;
      return operation.requestTxn === undefined ? "operation-not-set" : this.#txnRefusal(decision.nested[index]!);
    });
    return refusals.find((refusal) => refusal !== undefined);
  }

  #txnRangeRefusal({ revision }: RangeRequest): Refusal | undefined {
    if (revision > this.revision) return "future-revision";
    return revision !== 0 && revision < this.compactRevision ? "compacted" : undefined;
  }

  #runDecision(decision: Decision): TxnResponse {
    const responses = decision.operations.map((operation, index) =>
      this.#runOperation(operation, decision.nested[index]),
    );
    return { header: this.#header(0), succeeded: decision.succeeded, responses };
  }

  #runOperation(operation: RequestOp, nested: Decision | undefined): ResponseOp {
    const { requestRange, requestPut, requestDeleteRange } = operation;
    return {
      responseRange: requestRange === undefined ? undefined : this.#range(requestRange),
      responsePut: requestPut === undefined ? undefined : this.#put(requestPut),
      responseDeleteRange: requestDeleteRange === undefined ? undefined : this.#delete(requestDeleteRange),
      responseTxn: nested === undefined ? undefined : this.#runDecision(nested),
    };
  }
}

function decide(state: State, request: TxnRequest): Decision {
  const succeeded = request.compare.every((compare) => isTrue(state, compare));
  const operations = succeeded ? request.success : request.failure;
  const nested = operations.map(({ requestTxn }) => (requestTxn === undefined ? undefined : decide(state, requestTxn)));
  return { succeeded, operations, nested };
}

function isTrue(state: State, compare: Compare): boolean {
  const pairs = select(state, compare);
  if (pairs.length > 0) return pairs.every((pair) => isTrueFor(pair, compare));
  const nothing = { version: 0, createRevision: 0, modRevision: 0, lease: 0n, value: new Uint8Array() };
  return compare.target !== 3 && isTrueFor(nothing, compare);
}

function isTrueFor(pair: Omit<KeyVersion, "key">, compare: Compare): boolean {
  const sides: readonly (readonly [number | bigint, number | bigint])[] = [
    [pair.version, compare.version ?? 0],
    [pair.createRevision, compare.createRevision ?? 0],
    [pair.modRevision, compare.modRevision ?? 0],
    [Buffer.compare(pair.value, compare.value ?? new Uint8Array()), 0],
    [pair.lease, compare.lease ?? 0n],
  ];
  const [stored, operand] = sides[compare.target] ?? [0, 0];
  return [stored === operand, stored > operand, stored < operand, stored !== operand][compare.result] ?? true;
}

/** The pairs that `key` and `range_end` name, in key order. */
function select(state: State, { key, rangeEnd }: { key: string; rangeEnd: string }): KeyVersion[] {
  const keys = [...state.keys()].sort().filter((candidate) => {
    if (rangeEnd === "") return candidate === key;
    return candidate >= key && (rangeEnd === "\0" || candidate < rangeEnd);
  });
  return keys.map((name) => state.get(name)!);
}

function passesFilters(pair: KeyVersion, request: RangeRequest): boolean {
  if (request.minModRevision !== 0 && pair.modRevision < request.minModRevision) return false;
  if (request.maxModRevision !== 0 && pair.modRevision > request.maxModRevision) return false;
  if (request.minCreateRevision !== 0 && pair.createRevision < request.minCreateRevision) return false;
  return request.maxCreateRevision === 0 || pair.createRevision <= request.maxCreateRevision;
}

/** KV-8 and KV-9: without order, a target sorts only what `limit` and one more lets through. */
function sortAsAsked(pairs: KeyVersion[], request: RangeRequest): KeyVersion[] {
  const filters = [
    request.minModRevision,
    request.maxModRevision,
    request.minCreateRevision,
    request.maxCreateRevision,
  ];
  const cutsFirst = request.sortOrder === 0 && request.limit > 0 && filters.every((filter) => filter === 0);
  const sorted = cutsFirst ? pairs.slice(0, request.limit + 1) : [...pairs];
  const sign = request.sortOrder === 2 ? -1 : 1;
  const orders: readonly ((left: KeyVersion, right: KeyVersion) => number)[] = [
    (left, right) => (left.key < right.key ? -1 : 1),
    (left, right) => left.version - right.version,
    (left, right) => left.createRevision - right.createRevision,
    (left, right) => left.modRevision - right.modRevision,
    (left, right) => Buffer.compare(left.value, right.value),
  ];
  const order = orders[request.sortTarget] ?? orders[0]!;
  return sorted.sort((left, right) => sign * order(left, right));
}

function keyOnly(pair: KeyVersion, request: RangeRequest): KeyVersion {
  return { ...pair, value: new Uint8Array(), lease: request.sortTarget === 4 ? pair.lease : 0n };
}
