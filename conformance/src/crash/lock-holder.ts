// A process of its own that holds a lock: what the crash suite kills, stops and resumes.
//
// Arguments: endpoint, lock name, TTL in seconds. It grants a lease, takes the lock, keeps the lease alive every third
// of the TTL, and says so in JSON lines on standard output: one `held`, then one `renewed` per answered keepalive with
// the time at which that keepalive was SENT (monotonic clock, nanoseconds; on Linux and macOS all processes share it).
// A line `write KEY VALUE` on standard input makes it try a write that is guarded by its lock; the answer is `wrote`.

import { createInterface } from "node:readline";
import { bytes, EtcdClient } from "../client/etcd-client.js";
import type { HolderLine } from "./holder-process.js";

const [endpoint = "", name = "", ttlText = ""] = process.argv.slice(2);
const ttlSeconds = Number(ttlText);
const client = new EtcdClient(endpoint);

function say(line: HolderLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Renews for ever; ends the process when the lease is gone, as a holder that notices must. */
async function keepAlive(lease: string): Promise<void> {
  const stream = client.duplex("etcdserverpb.Lease/LeaseKeepAlive");
  for (;;) {
    const sentAt = process.hrtime.bigint();
    stream.send({ ID: lease });
    const answer = await stream.next();
    if (answer.TTL === "0") {
      say({ kind: "lost" });
      return;
    }
    say({ kind: "renewed", sentAtNs: String(sentAt) });
    await new Promise((resolve) => setTimeout(resolve, (ttlSeconds * 1000) / 3));
  }
}

/** Writes only if the lock key is still the one this process was given. */
async function guardedWrite(lockKey: Buffer, token: string, key: string, value: string): Promise<boolean> {
  const answer = await client.txn({
    compare: [{ key: lockKey, target: "CREATE", create_revision: token }],
    success: [{ request_put: { key: bytes(key), value: bytes(value) } }],
  });
  return answer.succeeded;
}

const lease = await client.grant(ttlSeconds);
const { key: lockKey } = await client.lock(name, lease).response;
const token = (await client.get(lockKey))?.create_revision ?? "0";
say({ kind: "held", key: lockKey.toString(), token });
createInterface({ input: process.stdin }).on("line", async (line) => {
  const [, key = "", value = ""] = line.split(" ");
  say({ kind: "wrote", succeeded: await guardedWrite(lockKey, token, key, value) });
});
await keepAlive(lease);
