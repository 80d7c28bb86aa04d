import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { startAutoCompaction } from "./auto-compaction.js";
import type { AutoCompaction } from "./server-options.js";
import { Services, until } from "./testing/services.js";
import type { TestClient } from "./testing/test-client.js";

interface Compacted {
  readonly services: Services;
  readonly client: TestClient;
}

async function startWith(t: TestContext, options: AutoCompaction): Promise<Compacted> {
  const services = await Services.start(t);
  const stop = startAutoCompaction(services.replica, services.time, options);
  t.after(stop);
  return { services, client: await services.connect() };
}

const minuteMs = 60_000;

test("LIM-6: by revisions: every five minutes down to the newest so many", async (t) => {
  const { services, client } = await startWith(t, { mode: "revision", retentionRevisions: 3 });
  const { machine } = services.replica;
  await client.put("a");
  services.time.advance(5 * minuteMs);
  await client.put("a");
  assert.equal(machine.compactRevision, -1, "revision 2 - 3 is nothing to discard");
  for (let i = 0; i < 10; i++) await client.put("a");
  services.time.advance(5 * minuteMs - 1);
  await client.put("b");
  assert.equal(machine.compactRevision, -1);
  services.time.advance(1);
  await until(() => machine.compactRevision === 14 - 3);
});

test("LIM-6: by time: first after one period, then every period, to what was current one period before", async (t) => {
  const { services, client } = await startWith(t, { mode: "periodic", retentionMs: 10 * minuteMs });
  const { machine } = services.replica;
  const putThenWait = async (minutes: number): Promise<void> => {
    await client.put("a");
    for (let i = 0; i < minutes; i++) services.time.advance(minuteMs);
  };
  await putThenWait(9);
  await client.revision();
  assert.equal(machine.compactRevision, -1, "not before one period has passed");
  await putThenWait(1);
  await until(() => machine.compactRevision === 1);
  await putThenWait(9);
  assert.equal(machine.compactRevision, 1);
  await putThenWait(1);
  await until(() => machine.compactRevision === 3);
});

test("LIM-6: a period of several hours is kept whole, and compacted to every hour", async (t) => {
  const { services, client } = await startWith(t, { mode: "periodic", retentionMs: 2 * 60 * minuteMs });
  const { machine } = services.replica;
  const hour = (): void => {
    for (let i = 0; i < 10; i++) services.time.advance(6 * minuteMs);
  };
  await client.put("a");
  hour();
  await client.put("a");
  hour();
  await until(() => machine.compactRevision === 1);
  await client.put("a");
  hour();
  await until(() => machine.compactRevision === 2);
  hour();
  await until(() => machine.compactRevision === 3);
});
