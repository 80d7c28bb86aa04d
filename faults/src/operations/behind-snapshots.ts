/**
 * F1: the server is killed with a few writes behind a snapshot, or none. The first entry behind a snapshot is the one that a replay
 * which begins a place too late would leave out; each write has a key of its own, so that no later one hides it.
 */
import assert from "node:assert/strict";
import { byteStringFromText, kvService, maintenanceService } from "@holdfast/protocol";
import { Client } from "../client.js";
import type { Scenario, ScenarioContext } from "../scenario.js";
import { ServerProcess } from "../server-process.js";

const { put, range } = kvService.methods;
const { defragment } = maintenanceService.methods;

/** How many writes come behind the snapshot, in one life each. */
const writesBehind = [1, 0, 2, 3, 1];

/** The writes of several lives on one folder: keys, and the revision that each was acknowledged with. */
class Writes {
  readonly #revisions = new Map<string, number>();

  get count(): number {
    return this.#revisions.size;
  }

  /** Waits for the answer, so that each write is an entry of its own. */
  async add(client: Client): Promise<void> {
    const key = `k/${this.count}`;
    const { header } = await client.must(put, { key: byteStringFromText(key), value: Buffer.from(key) });
    this.#revisions.set(key, header?.revision ?? 0);
  }

  async assertThere(client: Client): Promise<void> {
    const { kvs } = await client.must(range, { key: byteStringFromText("k/"), rangeEnd: byteStringFromText("k0") });
    const found = new Map(kvs.map((kv) => [Buffer.from(kv.key, "latin1").toString(), kv.modRevision]));
    assert.deepEqual(found, new Map([...this.#revisions].sort()));
  }
}

/** One life: what was acknowledged before is there, a snapshot is made, some writes follow, and the server is killed. */
async function live(context: ScenarioContext, dataDir: string, writes: Writes, count: number): Promise<void> {
  const server = await ServerProcess.start({ dataDir }, context);
  const client = await Client.connect(server.endpoint);
  await writes.assertThere(client);
  await writes.add(client);
  await client.must(defragment);
  for (let number = 0; number < count; number++) await writes.add(client);
  await server.kill();
}

export const behindSnapshots: Scenario = {
  title:
    "F1, F5, I1, I10: killed with one write behind a snapshot, with none and with some; each is there, at its revision",
  secondsMax: 60,
  run: async (context) => {
    const dataDir = `${context.folder}/data`;
    const writes = new Writes();
    for (const count of writesBehind) await live(context, dataDir, writes, count);
    const server = await ServerProcess.start({ dataDir }, context);
    await writes.assertThere(await Client.connect(server.endpoint));
    await server.kill();
    context.note(`${writesBehind.length} kills behind snapshots, ${writes.count} writes acknowledged, 0 lost`);
  },
};
