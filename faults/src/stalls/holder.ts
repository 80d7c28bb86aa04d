/**
 * A client in a process of its own, which can be stopped: takes a lock under a lease that it keeps alive, says so, and says
 * when it learns that the lease is gone. `node holder.js ENDPOINT NAME TTL-SECONDS`
 */
import { byteStringFromText, leaseService, lockService } from "@holdfast/protocol";
import { Client } from "../client.js";

/** One line of its output. */
export interface HolderReport {
  readonly event: "waits" | "holds" | "lost";
  /** The owner key, one character per byte; set from `holds` on. */
  readonly key?: string;
  readonly lease: string;
}

function report(line: HolderReport): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function hold(endpoint: string, name: string, ttlSeconds: number): Promise<void> {
  const client = await Client.connect(endpoint);
  const { id } = await client.must(leaseService.methods.leaseGrant, { ttl: ttlSeconds });
  const lease = String(id);
  const keepAlives = client.keepAlives(({ ttl }) => {
    if (ttl <= 0) report({ event: "lost", lease });
  });
  setInterval(() => keepAlives.send({ id }), (ttlSeconds * 1000) / 4);
  report({ event: "waits", lease });
  const lockMsMax = 120_000;
  const { key } = await client.must(lockService.methods.lock, { name: byteStringFromText(name), lease: id }, lockMsMax);
  report({ event: "holds", key, lease });
}

const [endpoint = "", name = "", ttlSeconds = ""] = process.argv.slice(2);
await hold(endpoint, name, Number(ttlSeconds));
