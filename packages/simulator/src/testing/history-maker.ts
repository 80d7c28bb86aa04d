/**
 * Makes histories by hand or at random for the tests of the checks: a real state machine stands for a server that does
 * nothing wrong, and every step (a call made, its command stored, its answer delivered) is taken when the test says so.
 */
import {
  type ByteString,
  createResponseHeader,
  createWatchCreateRequest,
  type Event,
  EventType,
  etcdErrors,
  type KeyValue,
  type WatchCreateRequest,
} from "@holdfast/protocol";
import {
  type Caller,
  type Command,
  callerBytes,
  encodeCommand,
  type Outcome,
  StateMachine,
  writeCaller,
} from "@holdfast/state-machine";
import type { Call, CallKind, CallOf, CallTypes } from "../history/calls.js";
import type { History, Life, StateDigest, StoredEntry } from "../history/history.js";
import type { Hold, ResourceWrite } from "../history/holds.js";
import type { Moment } from "../history/moment.js";
import type { WatchRecord } from "../history/watches.js";
import { joining, ownerOf, ownershipKey, proclaiming, resigning, unlocking } from "../model/index.js";
import { asReceived } from "./as-received.js";

/** One of a union at a time, so that a call stays the call of its kind. */
type Mutable<Type> = Type extends unknown ? { -readonly [Field in keyof Type]: Type[Field] } : never;

/** A history whose parts a test may change as it likes. */
export interface DraftHistory
  extends Omit<
    Mutable<History>,
    "calls" | "entries" | "finalEntries" | "watches" | "holds" | "resourceWrites" | "lives"
  > {
  calls: Mutable<Call>[];
  entries: Mutable<StoredEntry>[];
  finalEntries: Mutable<StoredEntry>[];
  watches: Mutable<WatchRecord>[];
  holds: Mutable<Hold>[];
  resourceWrites: Mutable<ResourceWrite>[];
  lives: Mutable<Life>[];
  digests: StateDigest[];
  logContradictions: string[];
}

export class HistoryMaker {
  readonly machine = new StateMachine();
  readonly calls: Call[] = [];
  readonly entries: StoredEntry[] = [];
  readonly watches: WatchRecord[] = [];
  readonly holds: Hold[] = [];
  readonly resourceWrites: ResourceWrite[] = [];
  /** All events so far, by the order of revisions. */
  readonly events: Event[] = [];
  readonly #outcomes = new Map<Call, Outcome>();
  #ms = 0;
  #order = 0;

  /** Now. Each moment is one millisecond after the one before, unless `pass` is called. */
  moment(): Moment {
    this.#order++;
    this.#ms++;
    return { ms: this.#ms, order: this.#order };
  }

  pass(ms: number): void {
    this.#ms += ms;
  }

  /** The header that the server would give now. */
  get header(): ReturnType<typeof createResponseHeader> {
    return createResponseHeader({ revision: this.machine.revision, memberId: 7n, raftTerm: 2 });
  }

  /** A call is made. Each client has a connection of its own, by its number. */
  invoke<Kind extends CallKind>(client: number, kind: Kind, request: CallTypes[Kind]["request"]): CallOf<Kind> {
    const id = this.calls.length + 1;
    const invoked = this.moment();
    const call: CallOf<Kind> = {
      kind,
      id,
      client: `c${client}`,
      connection: client,
      request,
      invoked,
      ended: undefined,
      result: undefined,
    };
    this.calls.push(call as unknown as Call);
    return call;
  }

  /** The server stores and applies a command, by itself or for whoever else it names. */
  store(command: Command, caller?: Caller): Outcome {
    const encoded = encodeCommand(command);
    const bytes = callerBytes(caller) + encoded.length;
    const payload = Buffer.alloc(5 + bytes);
    payload[0] = 1;
    payload.writeUInt32LE(bytes, 1);
    payload.set(encoded, writeCaller(payload, 5, caller));
    this.entries.push({ index: this.entries.length + 1, epoch: 1, payload, at: this.moment() });
    const outcome = this.machine.apply(command, caller);
    for (const version of this.machine.changes) {
      const type = version.version === 0 ? EventType.DELETE : EventType.PUT;
      this.events.push({ type, kv: plainPair(version), prevKv: plainPair(this.machine.previousVersion(version)) });
    }
    return asReceived(outcome);
  }

  /** The command of a call that has one is stored. */
  apply(call: Call): Outcome | undefined {
    const command = commandOf(call);
    if (command === undefined) return undefined;
    const outcome = this.store(command);
    this.#outcomes.set(call, outcome);
    return outcome;
  }

  /** Answers a call from what became of its command, or, if it has none, from the state as it is now. */
  answer<Kind extends CallKind>(call: CallOf<Kind>): CallOf<Kind> {
    const made: Call = call as unknown as Call;
    if (commandOf(made) !== undefined && !this.#outcomes.has(made)) this.apply(made);
    const outcome = this.#outcomes.get(made);
    if (outcome?.kind === "refused") return this.refuse(call, refusalTexts[outcome.refusal] ?? outcome.refusal);
    const response = outcome === undefined ? this.#read(made) : this.#responseOf(made, outcome);
    return typeof response === "string" ? this.refuse(call, response) : this.finish(call, response as never);
  }

  /** Takes the state that an answer shows now, to deliver it later. */
  respond(call: Call): () => void {
    const outcome = this.#outcomes.get(call);
    const response = outcome === undefined ? this.#read(call) : undefined;
    if (response === undefined) return () => this.answer(call);
    return () => (typeof response === "string" ? this.refuse(call, response) : this.finish(call, response as never));
  }

  finish<Kind extends CallKind>(call: CallOf<Kind>, response: CallTypes[Kind]["response"]): CallOf<Kind> {
    call.ended = this.moment();
    call.result = { fate: "done", response };
    return call;
  }

  refuse<Kind extends CallKind>(call: CallOf<Kind>, message: string): CallOf<Kind> {
    call.ended = this.moment();
    call.result = { fate: "refused", code: 9, message };
    return call;
  }

  lose<Kind extends CallKind>(call: CallOf<Kind>): CallOf<Kind> {
    call.ended = this.moment();
    call.result = { fate: "unknown", code: 14, message: "etcdserver: server stopped" };
    return call;
  }

  /** A call that is made, stored and answered in one go. */
  call<Kind extends CallKind>(client: number, kind: Kind, request: CallTypes[Kind]["request"]): CallOf<Kind> {
    return this.answer(this.invoke(client, kind, request));
  }

  /** The lease runs out. */
  expire(leaseId: bigint): void {
    const grantNumber = this.machine.lease(leaseId)?.grantNumber ?? 0;
    this.store({ kind: "leaseExpire", leaseId, grantNumber });
  }

  /** A watch is made and answered. */
  watch(client: number, fields: Partial<WatchCreateRequest>): WatchRecord {
    const request = createWatchCreateRequest(fields);
    const created = this.moment();
    const record = { id: this.watches.length + 1, client: `c${client}`, connection: client, request, created };
    const watch: WatchRecord = {
      ...record,
      messages: [message(this.moment(), this.machine.revision, { created: true })],
      resumedFrom: undefined,
      ended: undefined,
      caughtUp: false,
    };
    this.watches.push(watch);
    return watch;
  }

  /** The watch gets one message with all events of `revision` that are within its single key or its prefix range. */
  deliver(watch: WatchRecord, revision: number): void {
    const { key, rangeEnd, prevKv } = watch.request;
    const events = this.events
      .filter(
        ({ kv }) =>
          kv?.modRevision === revision && (rangeEnd === "" ? kv.key === key : kv.key >= key && kv.key < rangeEnd),
      )
      .map((event) => (prevKv ? event : { ...event, prevKv: undefined }));
    if (events.length > 0) watch.messages.push(message(this.moment(), revision, { events }));
  }

  /** A notice of progress, as true as can be. */
  progress(watch: WatchRecord): void {
    watch.messages.push(message(this.moment(), this.machine.revision, {}));
  }

  /** Everything so far, as copies that a test may change. */
  history(): DraftHistory {
    const copies = <Item extends object>(items: readonly Item[]): Item[] => items.map((item) => ({ ...item }));
    return {
      calls: copies(this.calls),
      watches: this.watches.map((watch) => ({ ...watch, messages: copies(watch.messages) })),
      holds: copies(this.holds),
      resourceWrites: copies(this.resourceWrites),
      entries: copies(this.entries),
      lives: [],
      digests: [],
      finalEntries: copies(this.entries),
      logContradictions: [],
    };
  }

  #responseOf(call: Call, outcome: Outcome): unknown {
    if (call.kind === "lock" || call.kind === "campaign") return this.#grant(call, outcome);
    if (outcome.kind === "txn" && call.kind === "proclaim" && !outcome.response.succeeded)
      return "election: not leader";
    if (call.kind === "unlock" || call.kind === "proclaim" || call.kind === "resign") {
      return "response" in outcome ? { header: outcome.response.header } : {};
    }
    return "response" in outcome ? outcome.response : {};
  }

  /** Fails the test if it is not the caller's turn. */
  #grant(call: CallOf<"lock"> | CallOf<"campaign">, outcome: Outcome): unknown {
    const key = ownershipKey(call.request.name, call.request.lease);
    const owner = this.owner(call.request.name);
    if (owner?.key !== key) throw new Error(`call ${call.id} is not the owner`);
    if (call.kind === "lock") return { header: this.header, key };
    const header = outcome.kind === "txn" ? outcome.response.header : undefined;
    return { header, leader: { name: call.request.name, key, rev: owner.createRevision, lease: call.request.lease } };
  }

  owner(name: ByteString): KeyValue | undefined {
    const pairs: KeyValue[] = [];
    this.machine.forEachLive("\0" as ByteString, "\0" as ByteString, (pair) => {
      pairs.push(plainPair(pair)!);
    });
    return ownerOf(pairs, name);
  }

  #read(call: Call): unknown {
    switch (call.kind) {
      case "range": {
        const outcome = asReceived(this.machine.range(call.request));
        return outcome.kind === "refused" ? refusalTexts[outcome.refusal] : outcome.response;
      }
      case "txn": {
        const outcome = asReceived(this.machine.rangeTxn(call.request));
        return outcome.kind === "txn" ? outcome.response : "refused";
      }
      case "leaseKeepAlive": {
        const { id } = call.request;
        return { header: this.header, id, ttl: this.machine.lease(id)?.ttlSeconds ?? 0 };
      }
      case "leaseTimeToLive": {
        const { id } = call.request;
        const lease = this.machine.lease(id);
        const keys = call.request.keys ? [...(lease?.keys ?? [])] : [];
        return { header: this.header, id, ttl: lease?.ttlSeconds ?? -1, grantedTtl: lease?.ttlSeconds ?? 0, keys };
      }
      case "leaseLeases":
        return { header: this.header, leases: [...this.machine.leases()].map(({ leaseId }) => ({ id: leaseId })) };
      case "leader": {
        const kv = this.owner(call.request.name);
        return kv === undefined ? "election: no leader" : { header: this.header, kv };
      }
      default:
        throw new Error(`${call.kind} is no read`);
    }
  }
}

const refusalTexts: Readonly<Record<string, string | undefined>> = {
  "lease-not-found": etcdErrors.leaseNotFound.message,
  "lease-exists": etcdErrors.leaseExist.message,
  "key-not-found": etcdErrors.keyNotFound.message,
  compacted: etcdErrors.compacted.message,
  "future-revision": etcdErrors.futureRev.message,
};

/** One response on a watch. */
export function message(
  at: Moment,
  revision: number,
  parts: Partial<WatchRecord["messages"][number]>,
): WatchRecord["messages"][number] {
  const empty = { events: [], fragment: false, created: false, canceled: false, compactRevision: 0, cancelReason: "" };
  return { at, revision, ...empty, ...parts };
}

function plainPair(pair: KeyValue | undefined): KeyValue | undefined {
  if (pair === undefined) return undefined;
  const { key, value, createRevision, modRevision, version, lease } = pair;
  return { key, value, createRevision, modRevision, version, lease };
}

function commandOf(call: Call): Command | undefined {
  switch (call.kind) {
    case "put":
    case "deleteRange":
      return { kind: call.kind, request: call.request } as Command;
    case "txn": {
      const operations = [...call.request.success, ...call.request.failure];
      const isReadOnly = operations.every(({ requestRange }) => requestRange !== undefined);
      return isReadOnly ? undefined : { kind: "txn", request: call.request };
    }
    case "compact":
      return { kind: "compact", revision: call.request.revision };
    case "leaseGrant":
      return { kind: "leaseGrant", leaseId: call.request.id, ttlSeconds: call.request.ttl };
    case "leaseRevoke":
      return { kind: "leaseRevoke", leaseId: call.request.id };
    case "lock":
      return joining(call.request.name, call.request.lease, new Uint8Array(0));
    case "campaign":
      return joining(call.request.name, call.request.lease, call.request.value);
    case "unlock":
      return unlocking(call.request.key);
    case "proclaim": {
      const leader = call.request.leader!;
      return proclaiming(leader.key, leader.rev, leader.lease, call.request.value);
    }
    case "resign":
      return resigning(call.request.leader!.key, call.request.leader!.rev);
    default:
      return undefined;
  }
}
