// Elections: candidates in order of arrival, resignation, a leader lost with its lease, observers.

import assert from "node:assert/strict";
import { on, once } from "node:events";
import { freshName, variable } from "../environment.mjs";

export async function electionRound(checks) {
  const endpoint = variable("HOLDFAST_ENDPOINT");
  const run = (words, body) => checks.run(words, (open) => body(open(endpoint), open(endpoint)));

  await run("election: candidates lead in the order they came, handing over by resigning", inOrder);
  await run("election: NODE-1, a candidate's key ends in its lease id in decimal", decimalKey);
  await run("election: a leader whose lease is gone is followed by the next", lostWithLease);
  await run("election: an observer sees every leader and every proclamation", observed);
}

/** A candidate that is not yet leader; resolves once it waits behind another. */
async function waitingCandidate(election, value) {
  const campaign = election.campaign(value);
  const elected = campaign.wait();
  await once(campaign, "_isWaiting");
  return { campaign, elected };
}

async function inOrder(first, second) {
  const name = freshName("order");
  const leader = await first.election(name, 10).campaign("first").wait();
  const { campaign, elected } = await waitingCandidate(second.election(name, 10), "second");
  assert.equal(await second.election(name).leader(), "first");
  await leader.resign();
  await elected;
  assert.equal(await first.election(name).leader(), "second");
  await campaign.resign();
  assert.equal(await first.election(name).leader(), undefined);
}

async function decimalKey(etcd) {
  const name = freshName("decimal");
  const campaign = await etcd.election(name, 10).campaign("alone").wait();
  const [key] = await etcd.getAll().prefix(`election/${name}/`).keys();
  assert.equal(key, await campaign.getCampaignKey());
  assert.match(key, /\/[0-9]+$/);
  const { leases } = await etcd.leaseClient.leaseLeases();
  assert.ok(leases.some(({ ID }) => key.endsWith(`/${ID}`)));
  await campaign.resign();
}

async function lostWithLease(first, second) {
  const name = freshName("lost");
  const leader = await first.election(name, 10).campaign("first").wait();
  const told = once(leader, "error").catch((error) => [error]);
  const { campaign, elected } = await waitingCandidate(second.election(name, 10), "second");
  const lease = (await leader.getCampaignKey()).split("/").at(-1);
  await second.leaseClient.leaseRevoke({ ID: lease });
  await elected;
  assert.equal(await second.election(name).leader(), "second");
  await told;
  await campaign.resign();
}

async function observed(first, second) {
  const name = freshName("observed");
  const observer = await second.election(name).observe();
  const changes = on(observer, "change");
  const next = async () => (await changes.next()).value[0];
  const leader = await first.election(name, 10).campaign("first").wait();
  assert.equal(await next(), "first");
  await leader.proclaim("first again");
  assert.equal(await next(), "first again");
  await leader.resign();
  assert.equal(await next(), undefined);
  await observer.cancel();
}
