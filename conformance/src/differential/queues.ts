// What the scripts about locks and elections share: their calls, and knowing that somebody waits.

import type { Answer } from "./answer.js";
import type { CallOptions, Client, PendingCall } from "./client.js";
import type { Session } from "./session.js";
import type { MessageStream } from "./stream.js";
import type { Request } from "./wire.js";

/** Refusals of the Lock and Election services, as arguments of `refused`. */
export const queueRefusals = {
  sessionExpired: ["UNKNOWN", "mutex: session is expired"],
  leaseNotFound: ["UNKNOWN", "etcdserver: requested lease not found"],
  keyMissing: ["UNKNOWN", "etcdserver: key is not provided"],
  noSpace: ["UNKNOWN", "etcdserver: mvcc: database space exceeded"],
  denied: ["UNKNOWN", "etcdserver: permission denied"],
  userEmpty: ["UNKNOWN", "etcdserver: user name is empty"],
  badToken: ["UNKNOWN", "etcdserver: invalid auth token"],
  noLeader: ["UNKNOWN", "election: no leader"],
  notLeader: ["UNKNOWN", "election: not leader"],
  leaderMissing: ["UNKNOWN", '"leader" field must be provided'],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;

/** Why a call that ends by its deadline is not compared. */
export const deadlineRace = "etcd's library may reset the stream (CANCEL) before the handler answers";

/** Starts a Lock call. Without a lease the server grants one. */
export function lock(client: Client, name: string, lease?: number | string, options?: CallOptions): PendingCall {
  return client.start("v3lockpb.Lock/Lock", { name, lease }, options);
}

export function unlock(client: Client, key: string, options?: CallOptions): Promise<Answer> {
  return client.unary("v3lockpb.Lock/Unlock", { key }, options);
}

/** Starts a Campaign call. Without a lease the server grants one. */
export function campaign(client: Client, request: Request, options?: CallOptions): PendingCall {
  return client.start("v3electionpb.Election/Campaign", request, options);
}

export function proclaim(client: Client, leader: Request, value: string, options?: CallOptions): Promise<Answer> {
  return client.unary("v3electionpb.Election/Proclaim", { leader, value }, options);
}

export function resign(client: Client, leader: Request, options?: CallOptions): Promise<Answer> {
  return client.unary("v3electionpb.Election/Resign", { leader }, options);
}

/** Asks who leads. */
export function leader(client: Client, name: string, options?: CallOptions): Promise<Answer> {
  return client.unary("v3electionpb.Election/Leader", { name }, options);
}

export function observe(client: Client, name: string, options?: CallOptions): MessageStream {
  return client.stream("v3electionpb.Election/Observe", { name }, options);
}

/** The interval of all keys of a name. */
export function allOf(name: string): { readonly key: string; readonly range_end: string } {
  return { key: `${name}/`, range_end: `${name}0` };
}

/** Watches the keys of a name. Whoever has written its key, as one event tells, waits if there is an older one. */
export function watchQueue(client: Client, name: string, options?: CallOptions): Promise<MessageStream> {
  return client.watch(allOf(name), options);
}

/** Reads the keys of a name, the oldest first. */
export function queueOf(client: Client, name: string, options?: CallOptions): Promise<Answer> {
  const { key, range_end } = allOf(name);
  return client.range(key, { range_end, sort_target: "CREATE", sort_order: "ASCEND" }, options);
}

/** Grants leases of ten minutes with these ids. */
export async function grantAll(client: Client, ...ids: readonly number[]): Promise<void> {
  for (const id of ids) {
    await client.grant(600, id);
  }
}

export function revoke(client: Client, id: number | string, options?: CallOptions): Promise<Answer> {
  return client.unary("etcdserverpb.Lease/LeaseRevoke", { ID: id }, options);
}

/** Asks what is left of a lease, and for its keys. */
export function timeToLive(client: Client, id: number | string, options?: CallOptions): Promise<Answer> {
  return client.unary("etcdserverpb.Lease/LeaseTimeToLive", { ID: id, keys: true }, options);
}

export function leases(client: Client, options?: CallOptions): Promise<Answer> {
  return client.unary("etcdserverpb.Lease/LeaseLeases", {}, options);
}

/** Raises the alarm that lets no more writes through, however much space there is. */
export function raiseNoSpace(client: Client): Promise<Answer> {
  return client.unary("etcdserverpb.Maintenance/Alarm", { action: "ACTIVATE", alarm: "NOSPACE" });
}

/** The order in which things came about, where that is what a rule is about. */
export class Order {
  readonly #seen: string[] = [];

  /** Notes the end of a call when it comes. */
  note(who: string, call: PendingCall): PendingCall {
    void call.answer.then(() => this.add(who));
    return call;
  }

  add(what: string): void {
    this.#seen.push(what);
  }

  get seen(): readonly string[] {
    return [...this.#seen];
  }
}

/** Lets pass whatever the server does at once: two calls that go through its log, and do not touch the store. */
export async function settle(client: Client): Promise<void> {
  const unobserved = "only to let pass what the server does at once";
  for (const id of [1_000_001, 1_000_002]) {
    await client.grant(600, id, { unobserved });
    await revoke(client, id, { unobserved });
  }
}

/** How somebody gets hold of a name, and how lease 8 then waits for it. */
export interface Contention {
  hold(name: string): Promise<unknown>;
  wait(name: string): PendingCall;
}

/** How many waits have their history compacted: etcd's look at it within 100 ms escapes that. */
const compactedWaitCount = 5;

/**
 * Has lease 8 wait for several names, and compacts the history right after each has begun to. Then every name is given
 * free. Returns how the waits failed, each way once, and how many keys of the waiters each left.
 */
export async function compactedWaits(s: Session, { hold, wait }: Contention): Promise<ReadonlySet<string>> {
  const unobserved = "etcd may have seen the history by then or not";
  const waits: { readonly name: string; readonly call: PendingCall }[] = [];
  for (let index = 0; index < compactedWaitCount; index++) {
    const name = `name ${index}`;
    await hold(name);
    const watch = await watchQueue(s, name, { unobserved });
    const call = wait(name);
    await watch.events(1);
    const { revision } = await s.put("elsewhere", "", {}, { unobserved });
    await s.compact(revision, {}, { unobserved });
    watch.cancel();
    waits.push({ name, call });
  }
  const failures = new Set<string>();
  for (const { name, call } of waits) {
    await unlock(s, `${name}/7`, { unobserved });
    const { status, details } = await call.answer;
    if (status !== "OK") {
      const left = (await s.range(`${name}/8`, {}, { unobserved })).number("count");
      failures.add(`${status} ${details}, keys left: ${left}`);
    }
  }
  return failures;
}
