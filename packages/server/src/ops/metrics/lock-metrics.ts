/** Locks and elections, whoever made their keys. No label ever names one. */
import type { OpsSources } from "../ops-sources.js";
import type { MetricSet, Sample } from "./metric-set.js";

const counted =
  "Counted are keys whose text behind the last slash is the lower-case hex of the lease they are attached to, whether " +
  "made by Lock, Campaign, Go's concurrency package or etcdctl; not Node's etcd3, nor ordinary keys under the same name.";

const losses =
  "lease_expired and lease_revoked: with its lease; key_deleted: with a range of keys, by whomever; " +
  "lease_changed: the key was put under another lease or none.";

export function addLockMetrics(metrics: MetricSet, { context: { replica } }: OpsSources): void {
  const { locks } = replica;
  const { meter } = locks;
  metrics.gauge("holdfast_locks_held", `Locks and leaderships held now. ${counted}`, () => meter.heldCount);
  metrics.gauge(
    "holdfast_lock_waiting_places",
    `Contenders behind a holder now, one for each key. ${counted}`,
    () => meter.waitingCount,
  );
  metrics.gauge(
    "holdfast_lock_waiting_calls",
    "Lock and Campaign calls that wait now, whatever keys they wait behind.",
    () => locks.waiterCount,
  );
  metrics.histogram(
    "holdfast_lock_wait_seconds",
    "From the making of a contender's key to its holding the lock, those that found it free included; waits that " +
      "began before the server started are left out.",
    meter.waitSeconds,
  );
  metrics.histogram(
    "holdfast_lock_hold_seconds",
    "From holding the lock to the end of the key, however it ended; holds that began before the server started are " +
      "left out.",
    meter.holdSeconds,
  );
  metrics.counters(
    "holdfast_lock_losses_total",
    "Holds that ended otherwise than by deleting exactly their key (Unlock, Resign, a client's own delete), by reason. " +
      losses,
    ["reason"],
    () => byReason(meter.holdLosses),
  );
  metrics.counters(
    "holdfast_lock_abandoned_waits_total",
    "Waits that ended without the lock, by reason. given_up: exactly its key was deleted, as is done for a caller " +
      `that stops waiting. ${losses}`,
    ["reason"],
    () => byReason(meter.waitLosses),
  );
  metrics.counter(
    "holdfast_lock_hand_overs_total",
    "Times that one contender's end gave the lock to the next.",
    () => meter.handOvers,
  );
}

function byReason(counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([reason, value]) => ({ labels: { reason }, value }));
}
