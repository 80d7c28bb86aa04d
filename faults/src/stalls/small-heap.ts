/** F16: a server with far too little memory under load. It may refuse or die; what it acknowledged must be there afterwards. */
import assert from "node:assert/strict";
import { leaseService } from "@holdfast/protocol";
import { Client } from "../client.js";
import type { Scenario } from "../scenario.js";
import { ServerProcess } from "../server-process.js";
import { within } from "../waiting.js";

const heapMebibytes = 40;
const clientsCount = 6;
const grantsAtOnce = 128;
/** Far more than fits: leases live in the heap, where keys and values do not. */
const roundsPerClient = 500;
const ttlSeconds = 3_600;

/** Grants ever new leases until the server refuses or is gone. @returns the ids that were acknowledged. */
async function fill(client: Client): Promise<bigint[]> {
  const acknowledged: bigint[] = [];
  for (let round = 0; round < roundsPerClient; round++) {
    const grants = Array.from({ length: grantsAtOnce }, () =>
      client.call(leaseService.methods.leaseGrant, { ttl: ttlSeconds }),
    );
    const answers = await Promise.all(grants);
    for (const { code, response } of answers) if (code === 0 && response !== undefined) acknowledged.push(response.id);
    if (answers.some(({ code }) => code !== 0)) break;
  }
  return acknowledged;
}

export const smallHeap: Scenario = {
  title:
    "F16, F1, I1: a server with a tiny heap refuses or dies under load, and everything acknowledged is there afterwards",
  secondsMax: 90,
  run: async (context) => {
    const dataDir = `${context.folder}/data`;
    const server = await ServerProcess.start({ dataDir, nodeArgs: [`--max-old-space-size=${heapMebibytes}`] }, context);
    const clients = await Promise.all(Array.from({ length: clientsCount }, () => Client.connect(server.endpoint)));
    const acknowledged = (await Promise.all(clients.map(fill))).flat();
    const died = await Promise.race([server.exited, within(server.exited, 5, "").catch(() => undefined)]);
    assert(
      acknowledged.length < clientsCount * roundsPerClient * grantsAtOnce,
      "the heap was large enough: nothing was tested",
    );
    context.note(
      `${acknowledged.length} leases acknowledged, then it ${
        died === undefined ? "refused" : `died (${died.signal ?? died.exitCode})`
      }`,
    );
    await server.kill();
    const again = await ServerProcess.start({ dataDir }, context);
    const reader = await Client.connect(again.endpoint);
    const { leases } = await reader.must(leaseService.methods.leaseLeases, {});
    const found = new Set(leases.map(({ id }) => id));
    const lost = acknowledged.filter((id) => !found.has(id));
    assert.deepEqual(lost, [], "acknowledged, and not there");
  },
};
