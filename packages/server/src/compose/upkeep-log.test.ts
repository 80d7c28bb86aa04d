/** What is written to the log of alarms, compactions and failed logins, and what never is. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { AlarmAction, AlarmType, authService, maintenanceService } from "@holdfast/protocol";
import { pino } from "pino";
import { addUser } from "../testing/secured.js";
import type { TestClient } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly alarm?: string;
  readonly memberId?: string;
  readonly revision?: number;
  readonly address?: string;
}

async function started(t: TestContext): Promise<{ client: TestClient; lines: Line[]; text: () => string }> {
  const written: string[] = [];
  const lines: Line[] = [];
  const write = (line: string): void => {
    written.push(line);
    lines.push(JSON.parse(line) as Line);
  };
  const logger = pino({ level: "debug", base: null, timestamp: false }, { write });
  const { client } = await start(t, { logger, auth: { passwordCost: 4 } });
  return { client, lines, text: () => written.join("") };
}

test("alarms raised and disarmed, and compactions, each leave a line", async (t) => {
  const { client, lines } = await started(t);
  await client.put("a");
  const alarm = { memberId: 0xabcn, alarm: AlarmType.NOSPACE };
  await client.call(maintenanceService.methods.alarm, { action: AlarmAction.ACTIVATE, ...alarm });
  await client.call(maintenanceService.methods.alarm, { action: AlarmAction.DEACTIVATE, ...alarm });
  await client.call(maintenanceService.methods.alarm, { action: AlarmAction.DEACTIVATE, ...alarm });
  await client.compact(2);
  const about = { alarm: "NOSPACE", memberId: "abc" };
  assert.deepEqual(lines, [
    { level: 40, ...about, msg: "alarm raised; it stays until it is disarmed" },
    { level: 30, ...about, msg: "alarm disarmed" },
    { level: 30, revision: 2, msg: "compacted" },
  ]);
});

test("F50, F49: failed logins leave a line with the address, not one each, and neither name nor password", async (t) => {
  const { client, lines, text } = await started(t);
  await addUser(client, "root", []);
  await client.call(authService.methods.userGrantRole, { user: "root", role: "root" }).catch(() => {});
  await client.call(authService.methods.authEnable);
  for (const name of ["root", "secretly-typed-here"]) {
    await assert.rejects(client.call(authService.methods.authenticate, { name, password: "hunter2" }));
  }
  assert.deepEqual(
    lines.map(({ level, msg, address }) => [level, msg, address]),
    [[40, "a login failed", "127.0.0.1"]],
  );
  assert.doesNotMatch(text(), /hunter2|secretly|root/);
});
