// The concurrent writers of the kill loop. Each works until the server dies, remembers what it was told, and afterwards
// checks the restarted server against that: what was acknowledged is there; what was not known may be either.

import assert from "node:assert/strict";
import { bytes, type EtcdClient } from "../client/etcd-client.js";
import type { KeyValue } from "../client/messages.js";
import { type Ledger, untilServerDies } from "./ledger.js";

/** One part of the workload. */
export interface Writer {
  /** Works until the server dies. */
  work(client: EtcdClient): Promise<void>;
  /** Compares the restarted server with what was acknowledged, and takes over what it finds as the new truth. */
  verify(client: EtcdClient): Promise<void>;
}

/** Counts up in one key with plain puts. */
export class PutWriter implements Writer {
  readonly #key: string;
  readonly #ledger: Ledger;
  #acknowledged = 0;
  #revision = 0;
  #sent = 0;

  constructor(key: string, ledger: Ledger) {
    this.#key = key;
    this.#ledger = ledger;
  }

  work(client: EtcdClient): Promise<void> {
    return untilServerDies(this.#ledger, async () => {
      this.#sent += 1;
      this.#revision = this.#ledger.acknowledge(await client.put(this.#key, String(this.#sent)));
      this.#acknowledged = this.#sent;
    });
  }

  async verify(client: EtcdClient): Promise<void> {
    const kv = await client.get(this.#key);
    const value = Number(kv?.value.toString() ?? 0);
    const allowed = new Set([this.#acknowledged, this.#sent]);
    assert.ok(
      allowed.has(value),
      `${this.#key} is ${value}; ${this.#acknowledged} was acknowledged, ${this.#sent} sent`,
    );
    if (value === this.#acknowledged && value > 0) {
      assert.equal(Number(kv?.mod_revision), this.#revision, `${this.#key}: revision of the acknowledged put`);
    }
    assert.equal(Number(kv?.version ?? 0), value, `${this.#key}: every value was written once`);
    this.#acknowledged = value;
    this.#sent = value;
    this.#revision = Number(kv?.mod_revision ?? 0);
  }
}

/** Counts up in two keys at once, with transactions that compare the previous revision. */
export class PairWriter implements Writer {
  readonly #keys: readonly [string, string];
  readonly #ledger: Ledger;
  #acknowledged = 0;
  #revision = 0;
  #sent = 0;

  constructor(key: string, ledger: Ledger) {
    this.#keys = [`${key}/left`, `${key}/right`];
    this.#ledger = ledger;
  }

  work(client: EtcdClient): Promise<void> {
    return untilServerDies(this.#ledger, async () => {
      this.#sent += 1;
      const value = bytes(String(this.#sent));
      const answer = await client.txn({
        compare: this.#keys.map((key) => ({ key: bytes(key), target: "MOD", mod_revision: this.#revision })),
        success: this.#keys.map((key) => ({ request_put: { key: bytes(key), value } })),
      });
      assert.equal(answer.succeeded, true, `${this.#keys[0]}: nobody else writes here`);
      this.#revision = this.#ledger.acknowledge(answer);
      this.#acknowledged = this.#sent;
    });
  }

  async verify(client: EtcdClient): Promise<void> {
    const [left, right] = await Promise.all(this.#keys.map((key) => client.get(key)));
    const value = Number(left?.value.toString() ?? 0);
    assert.equal(Number(right?.value.toString() ?? 0), value, `${this.#keys[0]}: half a transaction`);
    assert.equal(left?.mod_revision, right?.mod_revision, `${this.#keys[0]}: one transaction, one revision`);
    const allowed = new Set([this.#acknowledged, this.#sent]);
    assert.ok(
      allowed.has(value),
      `${this.#keys[0]} is ${value}; ${this.#acknowledged} acknowledged, ${this.#sent} sent`,
    );
    this.#acknowledged = value;
    this.#sent = value;
    this.#revision = Number(left?.mod_revision ?? 0);
  }
}

/** How long the leases of the workload live: far longer than any run, so that none of them expires in one. */
const workloadTtlSeconds = 3600;
/** How many attached keys a lease writer keeps before it revokes the oldest lease. */
const attachedMax = 5;

/** Grants leases, attaches one key to each, and revokes the oldest ones. */
export class LeaseWriter implements Writer {
  readonly #prefix: string;
  readonly #ledger: Ledger;
  /** Acknowledged and not asked to go: lease by key. */
  readonly #attached = new Map<string, string>();
  /** Acknowledged as revoked. */
  readonly #revoked = new Map<string, string>();
  /** The operation under way, whose outcome may stay unknown. */
  #pending: { readonly key: string; readonly lease: string } | undefined;
  #count = 0;

  constructor(prefix: string, ledger: Ledger) {
    this.#prefix = `${prefix}/`;
    this.#ledger = ledger;
  }

  work(client: EtcdClient): Promise<void> {
    return untilServerDies(this.#ledger, async () => {
      await this.#attach(client);
      const oldest = this.#attached.entries().next().value;
      if (oldest !== undefined && this.#attached.size > attachedMax) {
        await this.#revoke(client, ...oldest);
      }
    });
  }

  async verify(client: EtcdClient): Promise<void> {
    const { kvs } = await client.prefix(this.#prefix);
    const present = new Map(kvs.map((kv) => [kv.key.toString(), kv]));
    for (const [key, lease] of this.#attached) {
      await expectAttached(client, key, lease, present.get(key));
    }
    for (const [key, lease] of this.#revoked) {
      assert.equal(present.has(key), false, `${key} outlived its revoked lease`);
      assert.equal((await client.timeToLive(lease)).TTL, "-1", `lease ${lease} was revoked`);
    }
    for (const key of present.keys()) {
      assert.ok(this.#attached.has(key) || key === this.#pending?.key, `${key} is there though nobody wrote it`);
    }
    await this.#settlePending(client, present);
  }

  async #attach(client: EtcdClient): Promise<void> {
    const grant = await client.call("etcdserverpb.Lease/LeaseGrant", { TTL: workloadTtlSeconds });
    this.#ledger.acknowledge(grant);
    this.#count += 1;
    const key = `${this.#prefix}${this.#count}`;
    this.#pending = { key, lease: grant.ID };
    this.#ledger.acknowledge(await client.put(key, key, { lease: grant.ID }));
    this.#attached.set(key, grant.ID);
    this.#pending = undefined;
  }

  async #revoke(client: EtcdClient, key: string, lease: string): Promise<void> {
    this.#attached.delete(key);
    this.#pending = { key, lease };
    this.#ledger.acknowledge(await client.revoke(lease));
    this.#revoked.set(key, lease);
    this.#pending = undefined;
  }

  /** What happened to the put or revoke that was under way: key and lease are both there, or the key is not. */
  async #settlePending(client: EtcdClient, present: ReadonlyMap<string, KeyValue>): Promise<void> {
    if (this.#pending !== undefined) {
      const { key, lease } = this.#pending;
      if (present.has(key)) {
        await expectAttached(client, key, lease, present.get(key));
        this.#attached.set(key, lease);
      }
      this.#pending = undefined;
    }
  }
}

async function expectAttached(client: EtcdClient, key: string, lease: string, kv: KeyValue | undefined): Promise<void> {
  assert.equal(kv?.lease, lease, `${key} and its lease`);
  const { grantedTTL, keys } = await client.timeToLive(lease, true);
  assert.equal(grantedTTL, String(workloadTtlSeconds), `lease ${lease} of ${key}`);
  assert.deepEqual(keys.map(String), [key], `lease ${lease} and its keys`);
}

/** What the contenders of one lock share: who holds it, and which tokens were given out. */
export class LockRecord {
  readonly name: string;
  readonly fencedKey: string;
  holder: LockContender | undefined;
  lastToken = 0;

  constructor(name: string) {
    this.name = name;
    this.fencedKey = `${name}-fenced`;
  }

  /** Notes that this contender was told it holds the lock. */
  enter(contender: LockContender, token: number): void {
    assert.equal(this.holder, undefined, `two holders of ${this.name} at once`);
    assert.ok(token > this.lastToken, `token ${token} of ${this.name} after ${this.lastToken}`);
    this.holder = contender;
    this.lastToken = token;
  }
}

/** Takes a lock, writes under its token, and hands it over, again and again. */
export class LockContender implements Writer {
  readonly #record: LockRecord;
  readonly #ledger: Ledger;
  #lease: string | undefined;
  /** The lock key and token while this contender knows that it holds the lock. */
  #held: { readonly key: Buffer; readonly token: number } | undefined;

  constructor(record: LockRecord, ledger: Ledger) {
    this.#record = record;
    this.#ledger = ledger;
  }

  work(client: EtcdClient): Promise<void> {
    return untilServerDies(this.#ledger, async () => {
      this.#lease = await client.grant(workloadTtlSeconds);
      const answer = await client.lock(this.#record.name, this.#lease).response;
      const token = Number((await client.get(answer.key))?.create_revision);
      this.#record.enter(this, token);
      this.#held = { key: answer.key, token };
      this.#ledger.acknowledge(answer);
      await this.#writeFenced(client, answer.key, token);
      this.#leave();
      this.#ledger.acknowledge(await client.unlock(answer.key));
      await client.revoke(this.#lease);
      this.#lease = undefined;
    });
  }

  async verify(client: EtcdClient): Promise<void> {
    if (this.#held !== undefined) {
      const kv = await client.get(this.#held.key);
      assert.equal(Number(kv?.create_revision), this.#held.token, `the lock ${this.#record.name} was held`);
      this.#leave();
    }
    const fenced = Number((await client.get(this.#record.fencedKey))?.value.toString() ?? 0);
    assert.ok(fenced <= this.#record.lastToken, `a write under token ${fenced}, after ${this.#record.lastToken}`);
    if (this.#lease !== undefined) {
      // The end of this contender's tenure, whatever became of its last call: its key must not block the others.
      const { grantedTTL } = await client.timeToLive(this.#lease);
      if (grantedTTL !== "0") {
        await client.revoke(this.#lease);
      }
      this.#lease = undefined;
    }
  }

  #leave(): void {
    this.#held = undefined;
    this.#record.holder = undefined;
  }

  async #writeFenced(client: EtcdClient, lockKey: Buffer, token: number): Promise<void> {
    const answer = await client.txn({
      compare: [{ key: lockKey, target: "CREATE", create_revision: token }],
      success: [{ request_put: { key: bytes(this.#record.fencedKey), value: bytes(String(token)) } }],
    });
    assert.equal(answer.succeeded, true, "a holder's guarded write");
    this.#ledger.acknowledge(answer);
  }
}
