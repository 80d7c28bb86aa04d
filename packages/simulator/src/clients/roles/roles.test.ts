/** Each role against the real server in a simulated world without faults: it does what it is there for, and comes to an end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readBatch } from "@holdfast/replica";
import type { CallKind } from "../../history/calls.js";
import type { History } from "../../history/history.js";
import { simulate } from "../../run/run.js";
import { configOf } from "../../run/swarm.js";
import { type ClientsConfig, defaultClientsConfig, type RoleName } from "../config.js";
import { type Clients, startClients } from "../start-clients.js";

/** Virtual time: it passes in less than a second. */
const SAFETY_MS = 60_000;

interface Outcome {
  readonly clients: Clients;
  readonly history: History;
}

/** Nothing goes wrong here, so whatever is missing is missing in the role. */
async function play(roles: readonly RoleName[], changes: Partial<ClientsConfig> = {}): Promise<Outcome> {
  const seeded = configOf(1);
  const config = {
    ...seeded,
    expected: "survive" as const,
    faults: {},
    safetyMs: SAFETY_MS,
    clients: { ...defaultClientsConfig, roles, thinkMs: 60, ...changes },
    network: { ...seeded.network, latencyMs: 1, spikeChance: 0, pieceBytesMax: 65_536, windowBytes: 262_144 },
    server: { serviceLimits: { requestBytes: 8 * 1_024 } },
    log: {},
  };
  let clients: Clients | undefined;
  const start: typeof startClients = (world, given) => {
    clients = startClients(world, given);
    return clients;
  };
  const { history, violations } = await simulate(config, { startClients: start, judge: () => [] });
  assert.deepEqual(violations, []);
  assert.deepEqual(clients!.complaints, []);
  assert.deepEqual(clients!.waitingFor(), []);
  return { clients: clients!, history };
}

/** How many calls of this kind ended so. */
function count({ history }: Outcome, kind: CallKind, fate: "done" | "refused" | "unknown" = "done"): number {
  return history.calls.filter((call) => call.kind === kind && call.result?.fate === fate).length;
}

function assertDone(outcome: Outcome, ...kinds: readonly CallKind[]): void {
  for (const kind of kinds) assert.ok(count(outcome, kind) > 0, `no ${kind} was done`);
}

test("register: puts, reads of both kinds, compare-and-swap that succeeds and fails, deletes", async () => {
  const outcome = await play(["register", "register"]);
  assertDone(outcome, "put", "range", "txn", "deleteRange");
  const swaps = outcome.history.calls.flatMap((call) =>
    call.kind === "txn" && call.result?.fate === "done" ? [call.result.response.succeeded] : [],
  );
  assert.deepEqual(new Set(swaps), new Set([true, false]));
  const ranges = outcome.history.calls.flatMap((call) => (call.kind === "range" ? [call.request.serializable] : []));
  assert.deepEqual(new Set(ranges), new Set([true, false]));
  assert.ok(count(outcome, "put", "refused") > 0);
});

test("every value that is written is written by one call, and begins with its tag", async () => {
  const { history } = await play(["register", "lease", "transaction"]);
  for (const call of history.calls) {
    if (call.kind !== "put" || call.request.ignoreValue) continue;
    assert.ok(Buffer.from(call.request.value).toString("latin1").startsWith(`${call.client}-${call.id}`));
  }
});

test("transaction: nested ones, reads of the past, of what is compacted, and of the future", async () => {
  const outcome = await play(["transaction", "transaction", "administrator"]);
  assertDone(outcome, "txn", "range");
  const nested = outcome.history.calls.some(
    (call) => call.kind === "txn" && call.request.success.some((op) => op.requestTxn !== undefined),
  );
  assert.ok(nested);
  const refusals = outcome.history.calls.flatMap((call) =>
    call.kind === "range" && call.result?.fate === "refused" ? [call.result.message] : [],
  );
  assert.ok(refusals.some((text) => text.endsWith("has been compacted")));
  assert.ok(refusals.some((text) => text.endsWith("is a future revision")));
});

test("watcher: all starts, resuming, cancelling, and catching up in the end", async () => {
  const { history } = await play(["watcher", "watcher", "register", "administrator"]);
  const { watches } = history;
  const starts = new Set(watches.map(({ request }) => Math.sign(request.startRevision)));
  assert.deepEqual(starts, new Set([-1, 0, 1]));
  assert.ok(watches.some(({ resumedFrom }) => resumedFrom !== undefined));
  assert.ok(watches.some(({ messages }) => messages.some(({ compactRevision }) => compactRevision > 0)));
  assert.ok(watches.some(({ messages }) => messages.some(({ events }) => events.length > 0)));
  assert.ok(watches.some(({ messages }) => messages.some((told) => !told.created && told.events.length === 0)));
  assert.ok(watches.some(({ caughtUp }) => caughtUp));
  for (const { caughtUp, ended } of watches) assert.ok(caughtUp || ended !== undefined);
});

test("lease: grants of every length, refreshes over two connections, keys, ends by revoke and by time", async () => {
  const outcome = await play(["lease", "lease"]);
  assertDone(outcome, "leaseGrant", "leaseKeepAlive", "leaseRevoke", "leaseTimeToLive", "put");
  const refreshes = outcome.history.calls.filter(({ kind }) => kind === "leaseKeepAlive");
  assert.ok(new Set(refreshes.map(({ connection }) => connection)).size > 2);
  const ttls = outcome.history.calls.flatMap((call) => (call.kind === "leaseGrant" ? [call.request.ttl] : []));
  assert.ok(Math.min(...ttls) <= 6 && Math.max(...ttls) >= 3_600);
});

test("careful-lock and careless-lock: both hold, and only the careless one is turned away by the resource", async () => {
  const outcome = await play(["careful-lock", "careless-lock", "careless-lock"], { names: 1 });
  assertDone(outcome, "lock", "unlock", "leaseKeepAlive", "txn");
  const { holds, resourceWrites } = outcome.history;
  assert.deepEqual(new Set(holds.map(({ careful }) => careful)), new Set([true, false]));
  for (const hold of holds) assert.notEqual(hold.until, undefined);
  const late = resourceWrites.filter(({ accepted }) => !accepted);
  assert.ok(late.length > 0, "the test is too tame: nobody wrote after the next holder");
  for (const { client } of late) assert.ok(client.startsWith("careless"), client);
});

test("contender: gives up while it waits, by cancelling, by its deadline and with its connection", async () => {
  const outcome = await play(["contender", "contender", "careful-lock"], { names: 1, mayVanish: false });
  const ends = outcome.history.calls.flatMap((call) =>
    call.kind === "lock" && call.result?.fate === "unknown" ? [call.result.message] : [],
  );
  for (const end of ["cancelled by the client", "context deadline exceeded", "connection lost"]) {
    assert.ok(ends.includes(end), end);
  }
  assertDone(outcome, "lock", "unlock");
});

test("careful-candidate, careless-candidate and observer: campaign, proclaim, resign, and are seen", async () => {
  const outcome = await play(["careful-candidate", "careless-candidate", "observer"], { names: 1 });
  assertDone(outcome, "campaign", "proclaim", "resign", "leader");
  assert.ok(outcome.history.holds.some(({ kind }) => kind === "election"));
});

test("administrator: compactions that are done and refused", async () => {
  const outcome = await play(["administrator", "register"]);
  assertDone(outcome, "compact");
  assert.ok(count(outcome, "compact", "refused") > 0);
});

test("accounts: users, roles and permissions come and go in the log", async () => {
  const { history } = await play(["accounts"]);
  const kinds = new Set<string>();
  for (const { index, payload } of history.entries) {
    if (payload.length > 0) readBatch(index, payload, ({ command }) => void kinds.add(command.kind));
  }
  for (const kind of ["userAdd", "userDelete", "roleAdd", "roleDelete", "userGrantRole", "roleGrantPermission"]) {
    assert.ok(
      [...kinds].some((known) => known.toLowerCase().includes(kind.toLowerCase())),
      `no ${kind}`,
    );
  }
});

test("rude: cancels, repeats, vanishes and comes back under a name of its own", async () => {
  const outcome = await play(["rude", "rude", "careful-lock"], { names: 1 });
  assert.ok(count(outcome, "put", "unknown") > 0);
  assert.ok(count(outcome, "put", "refused") > 0);
  assert.ok(count(outcome, "lock", "refused") > 0);
  assert.ok(outcome.history.calls.some(({ client }) => /^rude-\d\.2/.test(client)));
  const branches = new Set(outcome.history.calls.flatMap((call) => (call.kind === "lock" ? [call.client] : [])));
  assert.ok([...branches].some((client) => client.endsWith("/second")));
});

test("a client that has made its calls rests until the faults are over, then does its part once more", async () => {
  const { history } = await play(["register"], { callsPerClientMax: 5 });
  const calls = history.calls.filter(({ client }) => client === "register-1");
  assert.ok(calls.length <= 10, `${calls.length} calls`);
  assert.ok(calls.at(-1)!.invoked.ms >= SAFETY_MS);
});
