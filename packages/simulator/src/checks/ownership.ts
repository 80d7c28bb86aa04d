/**
 * C5: grants. By the log: each lies within the time in which its key is the owner's and its lease lives (I4b), and its token
 * is the create revision of that key (I5). By the answers alone: a token belongs to one key, and tokens rise from grant to
 * grant (I4a, I5). Without a log only the second half runs.
 */
import type { ByteString } from "@holdfast/protocol";
import type { Hold } from "../history/holds.js";
import { ownerOf } from "../model/index.js";
import { type Answered, allAnswered, nameOf } from "./answers.js";
import type { Evidence } from "./evidence.js";
import { type Finding, FindingBuilder } from "./finding.js";
import type { Replay } from "./replay.js";
import { explain, isGrant } from "./witness.js";

/** A grant with its token. */
interface Grant {
  readonly who: string;
  readonly name: string;
  readonly key: string;
  readonly token: number;
  /** When the call for it was made and answered, as orders; at the lowest if it is not known which call that was. */
  readonly asked: number;
  readonly granted: number;
}

export function checkOwnership(evidence: Evidence): Finding {
  const builder = new FindingBuilder("C5");
  const { calls, holds } = evidence.history;
  const grants = allGrants(allAnswered(calls), holds);
  builder.count("grants", grants.length);
  checkTokens(grants, builder);
  checkRise(grants, builder);
  if (evidence.whyNoReplay !== undefined) {
    builder.fellBack(evidence.whyNoReplay);
    return builder.finding();
  }
  const { placed, replay } = evidence;
  for (const item of placed) {
    if (isGrant(item) && item.position === undefined) builder.violation("I4b", explain(item, replay));
  }
  checkHolds(holds, replay, builder);
  return builder.finding();
}

/** Campaigns tell their token; that of a lock is known to who holds it. */
function allGrants(answers: readonly Answered[], holds: readonly Hold[]): Grant[] {
  const fromCampaigns = answers.flatMap((answer): Grant[] => {
    if (answer.kind !== "campaign" || answer.response.leader === undefined) return [];
    const { key, rev } = answer.response.leader;
    const { call, request, ended } = answer;
    return [{ who: nameOf(call), name: request.name, key, token: rev, asked: call.invoked.order, granted: ended }];
  });
  const locks = answers.filter(({ kind }) => kind === "lock").sort((left, right) => right.ended - left.ended);
  const fromHolds = holds
    .filter(({ kind }) => kind === "lock")
    .map((hold): Grant => {
      const { client, name, key, token, from } = hold;
      const answer = locks.find((lock) => isOf(lock, hold));
      return {
        who: client,
        name,
        key,
        token,
        asked: answer?.call.invoked.order ?? 0,
        granted: answer?.ended ?? from.order,
      };
    });
  return [...fromCampaigns, ...fromHolds];
}

function isOf(answer: Answered, { client, key, from }: Hold): boolean {
  return (
    answer.kind === "lock" && answer.call.client === client && answer.response.key === key && answer.ended <= from.order
  );
}

/** A token is issued to one key, and so to one lease, only. */
function checkTokens(grants: readonly Grant[], builder: FindingBuilder): void {
  const owners = new Map<string, Grant>();
  for (const grant of grants) {
    const token = `${grant.token} ${grant.name}`;
    const other = owners.get(token);
    if (other === undefined) owners.set(token, grant);
    else if (other.key !== grant.key) {
      builder.violation("I5", `token ${grant.token} was issued to two keys: ${tell(other)} and ${tell(grant)}`);
    }
  }
}

/** What was granted before another grant was asked for has a lower token, or is the same owner's. */
function checkRise(grants: readonly Grant[], builder: FindingBuilder): void {
  const byGrant = [...grants].sort((left, right) => left.granted - right.granted);
  const byAsking = [...grants].sort((left, right) => left.asked - right.asked);
  const highest = new Map<string, Grant>();
  let seen = 0;
  for (const grant of byAsking) {
    for (; seen < byGrant.length && byGrant[seen]!.granted < grant.asked; seen++) {
      const earlier = byGrant[seen]!;
      if ((highest.get(earlier.name)?.token ?? 0) < earlier.token) highest.set(earlier.name, earlier);
    }
    const before = highest.get(grant.name);
    if (before !== undefined && grant.token < before.token) {
      builder.violation("I5", `${tell(grant)} got token ${grant.token} after ${tell(before)} had got ${before.token}`);
    }
  }
}

function tell({ who, key }: Grant): string {
  return `${who} with key ${JSON.stringify(key)}`;
}

/** The token of each hold is the create revision with which its key was the owner's at some position. */
function checkHolds(holds: readonly Hold[], replay: Replay, builder: FindingBuilder): void {
  const tokens = new Set<string>();
  for (const name of new Set(holds.map((hold) => hold.name))) {
    for (const owner of ownersOf(name as ByteString, replay)) tokens.add(`${owner.createRevision} ${owner.key}`);
  }
  for (const { client, name, key, token } of holds) {
    if (tokens.has(`${token} ${key}`)) continue;
    const what = `with token ${token} and key ${JSON.stringify(key)}`;
    builder.violation("I5", `${client} held ${JSON.stringify(name)} ${what}, which never was its owner`);
  }
}

/** All owners of a name, in order. */
function* ownersOf(name: ByteString, { steps }: Replay): Generator<{ key: string; createRevision: number }> {
  for (const { events, store } of steps) {
    if (!events.some(({ kv }) => kv?.key.startsWith(`${name}/`))) continue;
    const owner = ownerOf(store.pairs, name);
    if (owner !== undefined) yield owner;
  }
}
