// Locks and elections over the gateway.

import { check, equal, pending } from "./check.mjs";
import { ask, b64, call, fromB64, stream } from "./curl.mjs";
import { endOf, values } from "./kv.mjs";
import { grant } from "./lease.mjs";

export async function checkQueues() {
  await check("lock: two contend, unlock hands over", lock);
  await check("lock: a holder whose lease expires loses it", expiredHolder);
  await check("election: campaign, observe, proclaim, resign", election);
  await check("election: no leader, and no leader named", noLeader);
}

const take = async (prefix, lease) => (await ask("/v3/lock/lock", { name: b64(`${prefix}m`), lease })).key;

async function lock(prefix) {
  const lease = await grant(60);
  const held = await take(prefix, lease);
  equal("key", fromB64(held), `${prefix}m/${BigInt(lease).toString(16)}`);
  const waiting = take(prefix, await grant(60));
  await pending("the second lock", waiting);
  await ask("/v3/lock/unlock", { key: held });
  await ask("/v3/lock/unlock", { key: await waiting });
  equal("keys left", await values(prefix, "m", { range_end: endOf(`${prefix}m`) }), []);
}

async function expiredHolder(prefix) {
  await take(prefix, await grant(2));
  const waiting = take(prefix, await grant(60));
  await pending("the second lock", waiting);
  const held = await waiting;
  equal("keys", await values(prefix, "m", { range_end: endOf(`${prefix}m`) }), [
    `${fromB64(held).slice(prefix.length)}=`,
  ]);
  await ask("/v3/lock/unlock", { key: held });
}

async function election(prefix) {
  const name = b64(`${prefix}e`);
  const campaign = async (value) =>
    (await ask("/v3/election/campaign", { name, value: b64(value), lease: await grant(60) })).leader;
  const one = await campaign("one");
  equal("name of the election", one.name, name);
  const observed = stream("/v3/election/observe", { name });
  const seen = async () => fromB64((await observed.next()).result.kv.value);
  equal("observed first", await seen(), "one");
  const waiting = campaign("two");
  await pending("the second campaign", waiting);
  await ask("/v3/election/proclaim", { leader: one, value: b64("one again") });
  equal("observed then", await seen(), "one again");
  await ask("/v3/election/resign", { leader: one });
  const two = await waiting;
  equal("observed at last", await seen(), "two");
  observed.end();
  equal("leader", fromB64((await ask("/v3/election/leader", { name })).kv.value), "two");
  const late = await call("/v3/election/proclaim", { leader: one, value: b64("late") });
  equal("late", [late.status, late.json], [500, { code: 2, message: "election: not leader" }]);
  await ask("/v3/election/resign", { leader: two });
}

async function noLeader(prefix) {
  const { status, json } = await call("/v3/election/leader", { name: b64(`${prefix}e`) });
  equal("leader", [status, json], [500, { code: 2, message: "election: no leader" }]);
  const unnamed = await call("/v3/election/resign", {});
  equal("resign", [unnamed.status, unnamed.json], [500, { code: 2, message: '"leader" field must be provided' }]);
}
