/** What counts as being thrown out: nobody may survive an attack who had the time to be noticed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Attempt, assertThrownOut, endingsOf } from "./attackers.js";
import { Code } from "./frames.js";
import type { RawClient } from "./raw-client.js";
import { thrownOut } from "./scenarios.js";

const context = {
  folder: "",
  signal: new AbortController().signal,
  seconds: undefined,
  seed: undefined,
  cleanUp: () => undefined,
  note: () => undefined,
};

/** Of a client only what is looked at. */
function attempt(attackedMs: number, code?: number): Attempt {
  const goaway = code === undefined ? undefined : { code, reason: "too many", lastStreamId: 0 };
  return { client: { goaway, bytesSent: 1_000 } as unknown as RawClient, attackedMs };
}

const ended = [attempt(90, Code.calm), attempt(1_100, Code.calm), attempt(80, Code.calm), attempt(70, Code.calm)];

test("an attacker that outlasts all who were thrown out fails the scenario, though more were thrown out", () => {
  const endings = endingsOf(ended, [attempt(1_500)]);
  assert.throws(() => assertThrownOut(context, endings, Code.calm), /1 attackers were not thrown out, 4 were/);
});

test("an attacker that was told to go and stayed fails the scenario", () => {
  const endings = endingsOf(ended, [attempt(Number.POSITIVE_INFINITY, Code.calm)]);
  assert.throws(() => assertThrownOut(context, endings, Code.calm), /not thrown out/);
});

test("attackers that the end of the time cut short are no evidence", () => {
  assert.doesNotThrow(() => assertThrownOut(context, endingsOf(ended, [attempt(400), attempt(900)]), Code.calm));
});

test("a scenario of a limit without the counter of the limit cannot be made", () => {
  const offence = (): Promise<void> => Promise.resolve();
  assert.throws(() => thrownOut("F1, LIMIT some: reached", { offence, code: Code.calm }), /no counter/);
});
