// The full round of the npm package `etcd3` against the servers that the environment names (../driver/servers.mjs).
//
// One line per check on standard output; exit code 1 if one of them failed.

import { Checks } from "./checks.mjs";
import { authRound } from "./rounds/auth.mjs";
import { electionRound } from "./rounds/election.mjs";
import { kvRound } from "./rounds/kv.mjs";
import { leaseRound } from "./rounds/lease.mjs";
import { lockRound } from "./rounds/lock.mjs";
import { tlsRound } from "./rounds/tls.mjs";
import { watchRound } from "./rounds/watch.mjs";

const checks = new Checks();
for (const round of [kvRound, watchRound, leaseRound, lockRound, electionRound, authRound, tlsRound]) {
  await round(checks);
}
// A client whose check broke off may still hold connections and timers, which must not keep this process alive.
process.exit(checks.failed > 0 ? 1 : 0);
