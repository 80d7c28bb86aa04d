/** Who got in, who did not, who was not even tried, how busy the hashing of passwords is, and whose rights were withdrawn. */
import type { OpsSources } from "../ops-sources.js";
import type { MetricSet } from "./metric-set.js";

export function addLoginMetrics(metrics: MetricSet, { context: { access, openRights } }: OpsSources): void {
  const { logins, passwords } = access;
  const { counters } = logins;
  metrics.counters("holdfast_logins_total", "Logins whose password was checked, by result.", ["result"], () => [
    { labels: { result: "granted" }, value: counters.granted },
    { labels: { result: "failed" }, value: counters.failed },
  ]);
  metrics.counters(
    "holdfast_logins_refused_total",
    "Logins refused without a look at the password, because of earlier failures (with this user name, from this address, by this user at this address) or because too many passwords waited.",
    ["reason"],
    () => [
      { labels: { reason: "user" }, value: counters.refusedUser },
      { labels: { reason: "address" }, value: counters.refusedAddress },
      { labels: { reason: "client" }, value: counters.refusedClient },
      { labels: { reason: "busy" }, value: counters.refusedBusy },
    ],
  );
  metrics.gauge("holdfast_password_hashes_running", "Passwords that are being hashed.", () => passwords.running);
  metrics.gauge("holdfast_password_hashes_waiting", "Passwords that wait to be hashed.", () => passwords.waiting);
  metrics.gauge(
    "holdfast_logins_remembered",
    "User names, addresses, and users at an address, whose logins are remembered.",
    () => logins.remembered,
  );
  metrics.gauge(
    "holdfast_open_rights",
    "Watches, Observe calls and snapshots that are open by the right of a user.",
    () => openRights.size,
  );
  metrics.counter(
    "holdfast_open_rights_withdrawn_total",
    "Watches, Observe calls and snapshots that ended because their user had lost the right.",
    () => openRights.withdrawnCount,
  );
}
