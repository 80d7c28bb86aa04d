/** F25: very many connections that do nothing, connections that come and go in a flood, and a server without descriptors. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { byteStringFromText, kvService } from "@holdfast/protocol";
import { CLIENT_PREFACE } from "@holdfast/transport";
import { Client } from "../client.js";
import { LeaseKeeper } from "../lease-keeper.js";
import { metricsOf } from "../pages.js";
import { missingProgram, mustRun, openDescriptors } from "../processes.js";
import type { Scenario, ScenarioContext } from "../scenario.js";
import { ServerProcess } from "../server-process.js";
import { nowMs, pause, until } from "../waiting.js";

const connectionsGauge = "holdfast_transport_connections";
/** Below the server's limit of 10,000 by the connections that measure. */
const idleCount = 9_900;
/** An address may have 1,000 connections. */
const perAddress = 990;
const keepAliveMsMax = 200;

/** An empty SETTINGS frame. */
const settingsFrame = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const hello = Buffer.concat([Buffer.from(CLIENT_PREFACE), settingsFrame]);

/** An address of this machine, another for each `number`. */
const localAddress = (number: number): string => `127.0.${1 + Math.floor(number / 200)}.${1 + (number % 200)}`;

/** An HTTP/2 connection that says hello and nothing else. */
function idleConnection(port: number, address: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, localAddress: address });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.write(hello);
      socket.once("data", () => {
        socket.off("error", reject);
        socket.on("error", () => undefined).pause();
        resolve(socket);
      });
    });
  });
}

async function idleConnections(server: ServerProcess, count: number, context: ScenarioContext): Promise<Socket[]> {
  const sockets: Socket[] = [];
  context.cleanUp(() => {
    for (const socket of sockets) socket.destroy();
  });
  const atOnce = 200;
  while (sockets.length < count) {
    const numbers = Array.from(
      { length: Math.min(atOnce, count - sockets.length) },
      (_unused, at) => sockets.length + at,
    );
    const made = numbers.map((number) => idleConnection(server.port, localAddress(Math.floor(number / perAddress))));
    sockets.push(...(await Promise.all(made)));
  }
  return sockets;
}

async function tooFewDescriptors(): Promise<string | undefined> {
  const limit = Number((await mustRun("sh", "-c", "ulimit -n")).trim());
  // The server inherits the limit.
  return limit < idleCount + 200 ? `only ${limit} descriptors are allowed, ${idleCount + 200} are needed` : undefined;
}

export const idleCrowd: Scenario = {
  title:
    "F25, I12, I14: 9,900 connections that do nothing cost little memory each and others no time, and leave nothing behind",
  secondsMax: 80,
  missing: tooFewDescriptors,
  run: async (context) => {
    const server = await ServerProcess.start({ dataDir: `${context.folder}/data` }, context);
    const keeper = await LeaseKeeper.start(server.endpoint, { ttlSeconds: 2, everyMs: 50 });
    await pause(500, context.signal);
    const before = { bytes: server.residentBytes(), descriptors: server.openDescriptors() };
    const sockets = await idleConnections(server, idleCount, context);
    const eachBytes = (server.residentBytes() - before.bytes) / idleCount;
    // This process was busy making connections, and its own delay is not the server's.
    keeper.forget();
    await pause(4000, context.signal);
    const p99Ms = keeper.latencyMs(0.99);
    context.note(`${(eachBytes / 1024).toFixed(1)} KiB for each; keepalive p99 ${p99Ms.toFixed(1)} ms meanwhile`);
    assert.equal((await metricsOf(server.endpoint)).get(connectionsGauge), idleCount + 1);
    assert(eachBytes < 24 * 1024, `${eachBytes} bytes for each connection`);
    assert(p99Ms < keepAliveMsMax, `keepalives take ${p99Ms} ms`);
    for (const socket of sockets) socket.destroy();
    const freed = () => server.openDescriptors() <= before.descriptors + 5;
    await until("the descriptors are given back", freed, 15, context.signal);
    assert.equal(keeper.lostCount, 0);
    keeper.stop();
  },
};

/** Connects and leaves, over and over, from one address after another. @returns how many got through. */
async function comeAndGo(port: number, endMs: number, worker: number): Promise<number> {
  let count = 0;
  for (; nowMs() < endMs; count++) {
    await new Promise<void>((resolve) => {
      const socket = connect({ host: "127.0.0.1", port, localAddress: localAddress((count * 7 + worker) % 1000) });
      socket.once("connect", () => {
        if (count % 3 === 0) socket.write(hello);
        // Without a word of goodbye, so that no port stays occupied afterwards.
        socket.resetAndDestroy();
      });
      socket.once("error", () => undefined);
      socket.once("close", () => resolve());
    });
  }
  return count;
}

export const flood: Scenario = {
  title:
    "F25, I12: connections that come and go as fast as they can from 1,000 addresses do not delay the keepalives of others",
  secondsMax: 60,
  run: async (context) => {
    const server = await ServerProcess.start({ dataDir: `${context.folder}/data` }, context);
    const keeper = await LeaseKeeper.start(server.endpoint, { ttlSeconds: 2, everyMs: 20 });
    await pause(1000, context.signal);
    const usualMs = keeper.latencyMs(0.99);
    keeper.forget();
    const before = { bytes: server.residentBytes(), descriptors: server.openDescriptors() };
    const endMs = nowMs() + (context.seconds ?? 6) * 1000;
    const counts = await Promise.all(
      Array.from({ length: 24 }, (_unused, worker) => comeAndGo(server.port, endMs, worker)),
    );
    const p99Ms = keeper.latencyMs(0.99);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const grownMebibytes = (server.residentBytes() - before.bytes) / 2 ** 20;
    context.note(
      `${total} connections, keepalive p99 ${p99Ms.toFixed(1)} ms (${usualMs.toFixed(1)} without), memory +${grownMebibytes.toFixed(0)} MiB`,
    );
    assert(p99Ms < keepAliveMsMax, `keepalives take ${p99Ms} ms`);
    assert.equal(keeper.lostCount, 0);
    // What is not collected yet; it is no more after ten times as many connections.
    assert(grownMebibytes < 150, `memory grew by ${grownMebibytes} MiB`);
    const freed = () => server.openDescriptors() <= before.descriptors + 5;
    await until("the descriptors are given back", freed, 15, context.signal);
    keeper.stop();
  },
};

export const noDescriptors: Scenario = {
  title:
    "F25, F9, I1: a server that runs out of descriptors turns newcomers away and serves those it has, segments and all",
  secondsMax: 60,
  missing: () => missingProgram("prlimit"),
  run: async (context) => {
    const dataDir = `${context.folder}/data`;
    const server = await ServerProcess.start({ dataDir }, context);
    const keeper = await LeaseKeeper.start(server.endpoint, { ttlSeconds: 2, everyMs: 50 });
    const client = await Client.connect(server.endpoint);
    const write = async (number: number) =>
      await client.must(kvService.methods.put, {
        key: byteStringFromText(`k/${number}`),
        value: Buffer.alloc(400_000),
      });
    await write(0);
    await mustRun("prlimit", "--pid", String(server.pid), `--nofile=${openDescriptors(server.pid) + 2}`);
    const newcomers = Array.from({ length: 50 }, () => connect({ host: "127.0.0.1", port: server.port }));
    for (const socket of newcomers) socket.on("error", () => undefined);
    context.cleanUp(() => {
      for (const socket of newcomers) socket.destroy();
    });
    // Enough for several segments, each of which is a new file.
    let written = 1;
    for (; written < 60; written++) await write(written);
    await pause(2500, context.signal);
    assert.equal(keeper.lostCount, 0, "a lease that was kept alive has ended");
    assert.equal(server.end, undefined, "the server has ended");
    context.note(`${written} writes of 400 kB acknowledged meanwhile`);
    for (const socket of newcomers) socket.destroy();
    keeper.stop();
    await server.kill();
    const again = await ServerProcess.start({ dataDir }, context);
    const reader = await Client.connect(again.endpoint);
    const all = { key: byteStringFromText("k/"), rangeEnd: byteStringFromText("k0"), countOnly: true };
    assert.equal((await reader.must(kvService.methods.range, all)).count, written);
  },
};
