/** F49: more logins than passwords can be checked; whoever is in already must not notice. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { authService } from "@holdfast/protocol";
import { Bystander, percentile } from "../attacks/bystander.js";
import { Client } from "../client.js";
import { metricsOf } from "../pages.js";
import type { Scenario, ScenarioContext, Suite } from "../scenario.js";
import { ServerProcess } from "../server-process.js";
import { nowMs, pause } from "../waiting.js";
import { LoginFlood } from "./flood.js";

const { methods: auth } = authService;
const loginsPerSecond = 1_000;
const floodSeconds = 5;
/** I12: what a keepalive may take while one client, or many of one mind, do their worst. */
const keepAliveP99MsMax = 200;
/** A put may wait for the same event loop and for syncs; far above what either takes on a busy machine. */
const callP99MsMax = 500;
/** Up to this share of time in which programs wait for a processor, a machine is quiet enough for the bounds above. */
const quietPercentMax = 20;
const busySlowness = 5;
const runningMax = 2;
const waitingMax = 100;
const password = "correct horse";

interface Secured {
  readonly server: ServerProcess;
  /** Of user `ann`, who holds all keys. */
  readonly token: string;
}

/** A server with authentication on; the work of a hash is as it is by default unless `args` say otherwise. */
async function startSecured(context: ScenarioContext, args: readonly string[] = []): Promise<Secured> {
  const server = await ServerProcess.start({ dataDir: `${context.folder}/data`, args }, context);
  const client = await Client.connect(server.endpoint);
  context.cleanUp(() => client.destroy());
  for (const name of ["root", "ann"]) {
    await client.must(auth.userAdd, { name, password });
    await client.must(auth.userGrantRole, { user: name, role: "root" });
  }
  await client.must(auth.authEnable);
  const { token } = await client.must(auth.authenticate, { name: "ann", password });
  return { server, token };
}

/** A client that is in, and another of a server that nobody floods: how slow the machine is without a flood of ours. */
interface Bystanders {
  readonly flooded: Bystander;
  readonly control: Bystander;
  readonly slowness: number;
}

async function startBystanders(context: ScenarioContext, { server, token }: Secured): Promise<Bystanders> {
  const slowness = slownessOfMachine(context);
  const quiet = await ServerProcess.start({ dataDir: `${context.folder}/quiet` }, context);
  const flooded = await Bystander.start(server.endpoint, token);
  context.cleanUp(() => flooded.stop());
  const control = await Bystander.start(quiet.endpoint);
  context.cleanUp(() => control.stop());
  for (const bystander of [flooded, control]) bystander.begin();
  return { flooded, control, slowness };
}

async function checkBystanders(context: ScenarioContext, { flooded, control, slowness }: Bystanders): Promise<void> {
  const [seen, usual] = [await flooded.report(), await control.report()];
  const p99 = (values: readonly number[]): number => percentile(values, 0.99);
  const figures = [seen.keepAlivesMs, usual.keepAlivesMs, seen.callsMs, usual.callsMs].map(p99);
  const [keepAliveMs = 0, usualKeepAliveMs = 0, callMs = 0, usualCallMs = 0] = figures;
  context.note(
    `p99 of ${seen.keepAlivesMs.length} keepalives ${keepAliveMs.toFixed(1)} ms, of ${seen.callsMs.length} puts and reads ${callMs.toFixed(1)} ms; ` +
      `of a server without a flood ${usualKeepAliveMs.toFixed(1)} and ${usualCallMs.toFixed(1)} ms`,
  );
  assert.deepEqual(seen.failures, []);
  assert(seen.keepAlivesMs.length > 0 && seen.callsMs.length > 0, "the bystander made no calls");
  assert(keepAliveMs < keepAliveP99MsMax * slowness, `p99 of keepalives ${keepAliveMs.toFixed(0)} ms`);
  assert(callMs < callP99MsMax * slowness, `p99 of puts and reads ${callMs.toFixed(0)} ms`);
}

/**
 * What is allowed on this machine, as a multiple: where programs wait for a processor anyway, those that hash passwords make
 * the server's own thread wait longer, because they share in what the server gets.
 */
function slownessOfMachine(context: ScenarioContext): number {
  const waitingPercent = cpuPressurePercent();
  if (waitingPercent <= quietPercentMax) return 1;
  context.note(
    `the machine is busy (programs waited ${waitingPercent} % of the time): bounds are ${busySlowness} times as wide`,
  );
  return busySlowness;
}

/** Share of the last ten seconds in which some program waited for a processor; 0 where Linux does not say. */
function cpuPressurePercent(): number {
  try {
    return Number(/^some avg10=([\d.]+)/.exec(readFileSync("/proc/pressure/cpu", "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** The most that was seen of a metric while the flood went on. */
async function floodFor(
  context: ScenarioContext,
  endpoint: string,
  flood: LoginFlood,
): Promise<{ readonly running: number; readonly waiting: number }> {
  const most = { running: 0, waiting: 0 };
  const endMs = nowMs() + (floodSeconds + (context.seconds ?? 0)) * 1000;
  while (nowMs() < endMs) {
    const metrics = await metricsOf(endpoint);
    most.running = Math.max(most.running, metrics.get("holdfast_password_hashes_running") ?? 0);
    most.waiting = Math.max(most.waiting, metrics.get("holdfast_password_hashes_waiting") ?? 0);
    await pause(100, context.signal);
  }
  context.note(
    `${flood.sent} logins sent, ${flood.failed} checked, ${flood.refused} refused; at most ${most.running} hashed at once, ${most.waiting} waited`,
  );
  assert.deepEqual([...flood.others], [], "logins were answered otherwise than as wrong or as too many");
  assert(flood.refused > flood.failed * 5, "most logins have to be refused without work");
  assert(most.running <= runningMax && most.waiting <= waitingMax, "more passwords were hashed or waited than may");
  return most;
}

const manyAddresses: Scenario = {
  title:
    "F49, I12, LIMIT passwordHashesWaiting: 1,000 logins a second from 50 addresses; all but a few are refused, keepalives and puts of others flow",
  secondsMax: 90,
  run: async (context) => {
    const secured = await startSecured(context);
    const bystanders = await startBystanders(context, secured);
    const flood = await LoginFlood.start(secured.server.endpoint, {
      perSecond: loginsPerSecond,
      addresses: Array.from({ length: 50 }, (_, number) => `127.0.66.${number + 1}`),
      userName: (attempt) => `nobody ${attempt}`,
    });
    context.cleanUp(() => flood.stop());
    const { running, waiting } = await floodFor(context, secured.server.endpoint, flood);
    assert(running === runningMax && waiting > waitingMax / 2, "the flood did not fill the queue: it proves nothing");
    await checkBystanders(context, bystanders);
  },
};

const knownNames: Scenario = {
  title:
    "F49, LIMIT loginFailuresPerUser: 1,000 logins a second with the names of two users; one who has been in before still logs in",
  secondsMax: 90,
  run: async (context) => {
    const secured = await startSecured(context, ["--bcrypt-cost", "6"]);
    const bystanders = await startBystanders(context, secured);
    const flood = await LoginFlood.start(secured.server.endpoint, {
      perSecond: loginsPerSecond,
      addresses: ["127.0.66.1"],
      userName: (attempt) => (attempt % 2 === 0 ? "ann" : "root"),
    });
    context.cleanUp(() => flood.stop());
    await floodFor(context, secured.server.endpoint, flood);
    // She has logged in from here before, which nobody can take from her.
    const client = await Client.connect(secured.server.endpoint);
    context.cleanUp(() => client.destroy());
    const { token } = await client.must(auth.authenticate, { name: "ann", password });
    assert.notEqual(token, "");
    const metrics = await metricsOf(secured.server.endpoint);
    const refused = metrics.get('holdfast_logins_refused_total{reason="client"}') ?? 0;
    assert(refused > 100, `only ${refused} logins were refused for their name at that address`);
    await checkBystanders(context, bystanders);
  },
};

export const loginSuite: Suite = {
  name: "login",
  summary: "floods of logins with wrong passwords, and who is in already",
  scenarios: [manyAddresses, knownNames],
};
