import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "holdfast";
import { Connections } from "../load/connections.js";
import { FanOut, type FanOutPlan } from "./fan-out.js";

/** Runs a plan against a server within this process, on two connections that watch and one that writes. */
async function run(plan: FanOutPlan, disturb: (port: number) => Promise<void> = async () => {}) {
  const server = await startServer({ listen: "127.0.0.1:0" });
  const port = Number(server.endpoint.split(":").at(-1));
  const connections = await Connections.open({ port, tls: undefined }, 3);
  try {
    const fanOut = new FanOut(connections, plan);
    await fanOut.watch();
    await disturb(port);
    return await fanOut.run(0);
  } finally {
    connections.close();
    await server.close();
  }
}

test("every watcher of one key is told of every write", async () => {
  const { operations, latencies } = await run({
    watchers: 50,
    watchersPerStream: 1,
    keys: "shared",
    writesInFlight: 3,
  });
  assert.equal(operations, 150);
  assert.equal(latencies.total, 150);
});

test("many watchers on one stream are told apart", async () => {
  const { operations } = await run({ watchers: 40, watchersPerStream: 40, keys: "shared", writesInFlight: 2 });
  assert.equal(operations, 80);
});

test("watchers with keys of their own are told of their own", async () => {
  const { operations } = await run({ watchers: 20, watchersPerStream: 1, keys: "own", writesInFlight: 30 });
  assert.equal(operations, 30);
});

test("an event of somebody else's write ends the load", async () => {
  const plan: FanOutPlan = { watchers: 5, watchersPerStream: 1, keys: "shared", writesInFlight: 1 };
  const disturb = async (port: number): Promise<void> => {
    const stranger = await Connections.open({ port, tls: undefined }, 1);
    const { loadKeys } = await import("../load/keys.js");
    await loadKeys(stranger, 1, 1);
    stranger.close();
  };
  await assert.rejects(run(plan, disturb), /an event of no write/);
});
