/** A client that keeps a server busy with what costs it files: snapshots, and the discarding of segments behind them. */
import { byteStringFromText, kvService, maintenanceService } from "@holdfast/protocol";
import { Client } from "./client.js";

/** Compacts and defragments over and over, until its connection is lost. Never rejects. @returns how often it was done. */
export async function keepTidying(endpoint: string): Promise<number> {
  const client = await Client.connect(endpoint).catch(() => undefined);
  let count = 0;
  while (client?.usable === true) {
    const { response } = await client.call(kvService.methods.range, { key: byteStringFromText("k") });
    const revision = response?.header?.revision ?? 0;
    if (revision > 10) await client.call(kvService.methods.compact, { revision: revision - 10 });
    const { code } = await client.call(maintenanceService.methods.defragment);
    if (code === 0) count++;
  }
  return count;
}
