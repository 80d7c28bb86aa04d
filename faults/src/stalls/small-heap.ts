/** F16: a server with far too little memory under load. It may refuse or die; what it acknowledged must be there afterwards. */
import assert from "node:assert/strict";
import { byteStringFromText, createPutRequest, createRequestOp, kvService, type RequestOp } from "@holdfast/protocol";
import { Client } from "../client.js";
import type { Scenario } from "../scenario.js";
import { ServerProcess } from "../server-process.js";
import { within } from "../waiting.js";

const heapMebibytes = 40;
/** As many as a transaction may have. */
const putsPerTransaction = 128;
const clientsCount = 6;
/** Far more than fits into the heap. */
const transactionsPerClient = 2_000;

function operations(prefix: string): RequestOp[] {
  return Array.from({ length: putsPerTransaction }, (_unused, number) =>
    createRequestOp({
      requestPut: createPutRequest({ key: byteStringFromText(`${prefix}/${number}`), value: Buffer.from("value") }),
    }),
  );
}

/** Writes ever new keys until the server refuses or is gone. @returns prefixes of what was acknowledged. */
async function fill(client: Client, name: string): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let number = 0; number < transactionsPerClient; number++) {
    const prefix = `${name}/${number}`;
    const { code } = await client.call(kvService.methods.txn, { success: operations(prefix) });
    if (code !== 0) break;
    acknowledged.push(prefix);
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
    const acknowledged = (await Promise.all(clients.map((client, at) => fill(client, `client-${at}`)))).flat();
    const died = await Promise.race([server.exited, within(server.exited, 5, "").catch(() => undefined)]);
    assert(acknowledged.length < clientsCount * transactionsPerClient, "the heap was large enough: nothing was tested");
    context.note(
      `${acknowledged.length * putsPerTransaction} keys acknowledged, then it ${
        died === undefined ? "refused" : `died (${died.signal ?? died.exitCode})`
      }`,
    );
    await server.kill();
    const again = await ServerProcess.start({ dataDir }, context);
    const reader = await Client.connect(again.endpoint);
    for (const prefix of acknowledged) {
      const key = byteStringFromText(`${prefix}/`);
      const rangeEnd = byteStringFromText(`${prefix}0`);
      const { count } = await reader.must(kvService.methods.range, { key, rangeEnd, countOnly: true });
      assert.equal(count, putsPerTransaction, `${prefix} was acknowledged, ${count} of its keys are there`);
    }
  },
};
