// LOCK-27 to LOCK-30, CLI-13, NODE-1: what client libraries send that make locks and elections of ordinary calls.

import type { Answer } from "../answer.js";
import type { Client } from "../client.js";
import {
  allOf,
  campaign,
  grantAll,
  leader,
  lock,
  queueOf,
  resign,
  revoke,
  timeToLive,
  unlock,
  watchQueue,
} from "../queues.js";
import { script } from "../script.js";
import type { Session } from "../session.js";
import type { MessageStream } from "../stream.js";
import type { Request } from "../wire.js";

/** The first transaction of Go's `Mutex` and `Election`: makes the key, or reads it; and asks for the oldest one. */
function join(client: Client, name: string, key: string, more: Request): Promise<Answer> {
  const oldest = { request_range: { ...allOf(name), limit: 1, sort_target: "CREATE" } };
  return client.txn({
    compare: [{ key, target: "CREATE", create_revision: 0 }],
    success: [{ request_put: { key, ...more } }, oldest],
    failure: [{ request_range: { key } }, oldest],
  });
}

/** A step of the wait of Go's `Mutex` and `Election`: finds the nearest older key and watches it, if there is one. */
async function watchNearestOlder(
  client: Client,
  name: string,
  createRevision: number,
): Promise<MessageStream | undefined> {
  const nearest = await client.range(allOf(name).key, {
    range_end: allOf(name).range_end,
    limit: 1,
    sort_target: "CREATE",
    sort_order: "DESCEND",
    max_create_revision: createRevision - 1,
  });
  if ((nearest.at("kvs") as readonly unknown[]).length === 0) {
    return undefined;
  }
  return await client.watch({ key: nearest.text("kvs.0.key"), start_revision: nearest.revision });
}

/** The other step: waits until the key is deleted. */
async function untilDeleted(watch: MessageStream | undefined): Promise<void> {
  for (let type = ""; watch !== undefined && type !== "DELETE"; ) {
    type = String((await watch.events(1))[0]?.type);
  }
  watch?.cancel();
}

/** Demands that there is no older key any more: the wait is over. */
async function ownsNow(s: Session, name: string, createRevision: number): Promise<void> {
  s.equal(await watchNearestOlder(s, name, createRevision), undefined);
}

const mutex = [
  script("LOCK-27", "a Lock call waits for a Mutex of ordinary calls, and the Mutex for it", async (s) => {
    await grantAll(s, 7, 8, 9);
    const first = await join(s, "l", "l/7", { lease: 7 });
    first.shows({ succeeded: true, responses: [{}, { response_range: { kvs: [{ key: "l/7" }] } }] });
    const watch = await watchQueue(s, "l");
    const called = lock(s, "l", 8);
    await watch.events(1);
    const third = await join(s, "l", "l/9", { lease: 9 });
    third.shows({ header: { revision: 4 }, responses: [{}, { response_range: { kvs: [{ key: "l/7" }] } }] });
    const nearest = await watchNearestOlder(s, "l", third.revision);
    await s.deleteRange("l/7");
    (await called.answer).shows({ key: "l/8", header: { revision: 5 } });
    await unlock(s, "l/8");
    await untilDeleted(nearest);
    await ownsNow(s, "l", third.revision);
    (await s.range("l/9")).shows({ kvs: [{ create_revision: 4 }] });
  }),
  script("LOCK-28", "TryLock makes its key, and takes it away if it is not the oldest", async (s) => {
    await grantAll(s, 7, 8);
    const held = await join(s, "l", "l/7", { lease: 7 });
    s.equal(held.at("responses.1.response_range.kvs.0.create_revision"), held.revision);
    const tried = await join(s, "l", "l/8", { lease: 8 });
    tried.shows({ header: { revision: 3 }, responses: [{}, { response_range: { kvs: [{ key: "l/7" }] } }] });
    (await s.deleteRange("l/8")).shows({ deleted: 1, header: { revision: 4 } });
    (await queueOf(s, "l")).shows({ kvs: [{ key: "l/7" }] });
    await s.deleteRange("l/7");
    (await lock(s, "l", 8).answer).shows({ header: { revision: 6 } });
  }),
  script("LOCK-29", "Mutex.Unlock deletes its key by name; a second time deletes nothing", async (s) => {
    await grantAll(s, 7);
    await lock(s, "l", 7).answer;
    (await s.deleteRange("l/7")).shows({ deleted: 1, header: { revision: 3 } });
    (await s.deleteRange("l/7")).shows({ deleted: 0, header: { revision: 3 } });
    (await lock(s, "l", 7).answer).shows({ header: { revision: 4 } });
  }),
  script(
    "LOCK-30",
    "locks of one exact key need transactions, leases and watches, and meet no other lock",
    async (s) => {
      await grantAll(s, 7, 8, 9);
      const acquire = (lease: number) =>
        s.txn({
          compare: [{ key: "l", target: "CREATE", create_revision: 0 }],
          success: [{ request_put: { key: "l", value: `${lease}`, lease } }],
          failure: [{ request_range: { key: "l" } }],
        });
      (await acquire(7)).shows({ succeeded: true });
      const refused = await acquire(8);
      refused.shows({ succeeded: false, responses: [{ response_range: { kvs: [{ value: "7", lease: 7 }] } }] });
      const watch = await s.watch({ key: "l", start_revision: refused.revision + 1, filters: ["NOPUT"] });
      (await lock(s, "l", 9).answer).shows({ key: "l/9" });
      await revoke(s, 7);
      s.equal((await watch.events(1))[0]?.type, "DELETE");
      (await acquire(8)).shows({ succeeded: true });
      (await queueOf(s, "l")).shows({ kvs: [{ key: "l/9" }] });
    },
  ),
];

const elections = [
  script("CLI-13", "a session: a lease, kept alive, and revoked; a Mutex and an Election with it", async (s) => {
    const lease = (await s.unary("etcdserverpb.Lease/LeaseGrant", { TTL: 60 })).text("ID");
    const hex = BigInt(lease).toString(16);
    const keepAlive = s.stream("etcdserverpb.Lease/LeaseKeepAlive");
    keepAlive.send({ ID: lease });
    (await keepAlive.next()).shows({ TTL: 60 });
    const held = await join(s, "l", `l/${hex}`, { lease });
    await ownsNow(s, "l", held.revision);
    (await s.range(`l/${hex}`)).shows({ count: 1 });
    const joined = await join(s, "e", `e/${hex}`, { lease, value: "one" });
    await ownsNow(s, "e", joined.revision);
    const proclaimed = await s.txn({
      compare: [{ key: `e/${hex}`, target: "CREATE", create_revision: joined.revision }],
      success: [{ request_put: { key: `e/${hex}`, value: "two", lease } }],
    });
    proclaimed.shows({ succeeded: true });
    (await queueOf(s, "e")).shows({ kvs: [{ value: "two", version: 2 }] });
    s.equal(((await timeToLive(s, lease)).at("keys") as readonly unknown[]).length, 2);
    keepAlive.halfClose();
    (await keepAlive.end()).succeeds();
    (await revoke(s, lease)).shows({ header: { revision: 5 } });
    (await queueOf(s, "l")).shows({ count: 0 });
    (await queueOf(s, "e")).shows({ count: 0 });
  }),
  script("NODE-1", "keys with the lease in decimal stand in one queue with those in hex", async (s) => {
    await grantAll(s, 26, 27);
    const name = "election/e";
    (await campaign(s, { name, lease: 27, value: "go" }).answer).shows({ leader: { key: "election/e/1b", rev: 2 } });
    const joined = await join(s, name, `${name}/26`, { lease: 26, value: "node" });
    joined.shows({ succeeded: true, responses: [{}, { response_range: { kvs: [{ key: "election/e/1b" }] } }] });
    const nearest = await watchNearestOlder(s, name, joined.revision);
    (await resign(s, { name, key: "election/e/1b", rev: 2, lease: 27 })).shows({ header: { revision: 4 } });
    await untilDeleted(nearest);
    await ownsNow(s, name, joined.revision);
    (await leader(s, name)).shows({ kv: { key: "election/e/26", value: "node", create_revision: 3 } });
    const watch = await watchQueue(s, name);
    const again = campaign(s, { name, lease: 27, value: "go" });
    await watch.events(1);
    await s.deleteRange("election/e/26");
    (await again.answer).shows({ leader: { key: "election/e/1b", rev: 5 } });
  }),
];

/** The scripts of this section. */
export const scripts = [...mutex, ...elections];
