/** Locks and elections, as far as they were asked for through Lock and Campaign. No label ever names one. */
import type { OpsSources } from "../ops-sources.js";
import type { MetricSet, Sample } from "./metric-set.js";

const counted =
  "Counted are names asked for through Lock or Campaign since the server started; keys that clients make themselves " +
  "(Go's concurrency.Mutex) only once such a call has waited behind them.";

export function addLockMetrics(metrics: MetricSet, { context: { replica } }: OpsSources): void {
  const { locks } = replica;
  const { meter } = locks;
  metrics.gauge("holdfast_locks_held", `Locks and leaderships held now. ${counted}`, () => meter.heldCount);
  metrics.gauge("holdfast_lock_waiting_calls", "Lock and Campaign calls that wait now.", () => locks.waiterCount);
  metrics.histogram(
    "holdfast_lock_wait_seconds",
    "From joining the queue to holding the lock, those that found it free included.",
    meter.waitSeconds,
  );
  metrics.histogram(
    "holdfast_lock_hold_seconds",
    `From being granted to the end of the key, however it ended; holds that began unseen are left out. ${counted}`,
    meter.holdSeconds,
  );
  metrics.counters(
    "holdfast_lock_losses_total",
    "Holds that ended otherwise than by deleting exactly their key (Unlock, Resign, a client's own delete), by reason. " +
      "key_deleted is a delete of a range, by whomever.",
    ["reason"],
    () => byReason(meter.holdLosses),
  );
  metrics.counters(
    "holdfast_lock_abandoned_waits_total",
    "Waits that ended without the lock, by reason: client_gone is a caller that left, " +
      "the others say how its key went.",
    ["reason"],
    () => byReason(meter.waitLosses),
  );
  metrics.counter(
    "holdfast_lock_hand_overs_total",
    "Times that one contender's end gave the lock to a waiting one.",
    () => {
      return meter.handOvers;
    },
  );
}

function byReason(counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([reason, value]) => ({ labels: { reason }, value }));
}
