import assert from "node:assert/strict";
import { test } from "node:test";
import type { DriverConnection } from "../driver/driver-connection.js";
import type { Connections } from "../load/connections.js";
import { OpenLoop } from "./open-loop.js";

/** As many connections as wanted, each with as many open calls as is said. */
function connectionsWith(openCalls: number[]): { connections: Connections; all: { openCalls: number }[] } {
  const all = openCalls.map((count) => ({ openCalls: count }));
  const at = (number: number) => all[number % all.length] as unknown as DriverConnection;
  return { connections: { all, at } as unknown as Connections, all };
}

test("operations begin whether or not those before them have ended", async () => {
  const { connections } = connectionsWith([0]);
  const ends: (() => void)[] = [];
  const latencies = await new OpenLoop(connections, 1_000, (number, _connection, done) => {
    ends.push(done);
    // The last one lets all go.
    if (number === 19) for (const end of ends) end();
  }).run(0.02);
  assert.equal(ends.length, 20);
  assert.equal(latencies.total, 20);
});

test("a connection that is full is passed over", async () => {
  const { connections, all } = connectionsWith([900, 0]);
  const used = new Set<unknown>();
  await new OpenLoop(connections, 1_000, (_number, connection, done) => {
    used.add(connection);
    done();
  }).run(0.01);
  assert.deepEqual([...used], [all[1]]);
});

test("an operation that fails ends the run", async () => {
  const { connections } = connectionsWith([0]);
  const loop = new OpenLoop(connections, 1_000, () => {
    throw new Error("refused");
  });
  await assert.rejects(loop.run(0.01), /refused/);
});
