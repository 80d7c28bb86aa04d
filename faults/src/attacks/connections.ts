/** Floods of connections (F25). Attackers come from other addresses of the loopback network than the honest. */
import assert from "node:assert/strict";
import { platform } from "node:process";
import { byteStringFromText, kvService } from "@holdfast/protocol";
import { Client } from "../client.js";
import type { Scenario } from "../scenario.js";
import { nowMs, pause } from "../waiting.js";
import { Arena, type Attack } from "./arena.js";
import { greeting } from "./frames.js";
import { withLimits } from "./limited-server.js";
import { RawClient } from "./raw-client.js";

const MIB = 1024 * 1024;
/** How long an honest client may take to connect and be answered during a flood: with a full table, it never was. */
const NEWCOMER_MS_MAX = 5_000;

function onlyOnLinux(): string | undefined {
  return platform === "linux" ? undefined : "only Linux answers on all of 127.0.0.0/8";
}

/** `count` connections from one address, half a hundred at a time. */
async function openFrom(arena: Arena, localAddress: string, count: number, opening: Uint8Array): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  while (clients.length < count) {
    const batch = Array.from({ length: Math.min(50, count - clients.length) }, () =>
      RawClient.connect({ ...arena.target, localAddress }),
    );
    for (const client of await Promise.all(batch)) {
      if (opening.length > 0) await client.send(opening);
      clients.push(client);
    }
  }
  return clients;
}

function destroyAll(clients: readonly RawClient[]): void {
  for (const client of clients) client.destroy();
}

/** Connects as an honest client that was not there before, and makes a call. @returns how long that took. */
async function newcomerMs(arena: Arena): Promise<number> {
  const startedMs = nowMs();
  const client = await Client.connect(arena.server.endpoint);
  await client.must(kvService.methods.range, { key: byteStringFromText("newcomer") });
  client.destroy();
  return nowMs() - startedMs;
}

const perAddress: Scenario = {
  title: "F25, I12, LIMIT connectionsPerAddressMax: one address gets a thousand connections, others theirs",
  secondsMax: 60,
  missing: onlyOnLinux,
  run: async (context) => {
    const arena = await Arena.open(context, { heldBytesMax: 60 * MIB });
    await arena.attack(async (attack) => {
      const clients = await openFrom(arena, "127.0.0.2", 1_500, greeting());
      await pause(Math.max(300, attack.remainingMs));
      const open = clients.filter(({ isClosed }) => !isClosed).length;
      context.note(
        `${open} of 1500 connections of one address stand; a newcomer was served in ${(await newcomerMs(arena)).toFixed()} ms`,
      );
      assert.equal(open, 1_000);
      destroyAll(clients);
    });
    arena.assertReached("holdfast_net_refused_per_address_total");
  },
};

const inTotal: Scenario = {
  title: "F25, I12, LIMIT connectionsTotalMax: connections of all addresses together are bounded",
  secondsMax: 60,
  missing: onlyOnLinux,
  run: async (context) => {
    const wrapper = withLimits({ transport: { connectionsTotalMax: 500 } });
    const arena = await Arena.open(context, { wrapper, heldBytesMax: 40 * MIB });
    await arena.attack(async (attack) => {
      const clients = (
        await Promise.all([2, 3, 4, 5].map((host) => openFrom(arena, `127.0.0.${host}`, 200, greeting())))
      ).flat();
      await pause(Math.max(300, attack.remainingMs));
      const open = clients.filter(({ isClosed }) => !isClosed).length;
      context.note(`${open} of 800 connections stand`);
      // One of the 500 is the honest client's.
      assert.equal(open, 499);
      destroyAll(clients);
    });
    arena.assertReached("holdfast_transport_connections_refused_overall_total");
  },
};

/** Opens connections that say nothing, as fast as can be, and keeps the newest few thousand. */
async function floodSilently(arena: Arena, attack: Attack, addresses: readonly string[]): Promise<number> {
  let opened = 0;
  const held: RawClient[] = [];
  const one = async (localAddress: string): Promise<void> => {
    while (!attack.over) {
      held.push(...(await openFrom(arena, localAddress, 50, Buffer.alloc(0))));
      opened += 50;
      destroyAll(held.splice(0, Math.max(0, held.length - 3_000)));
    }
  };
  await Promise.all(addresses.map(one));
  destroyAll(held);
  return opened;
}

const silentFlood: Scenario = {
  title: "F25, F26, I12, LIMIT undecidedConnectionsMax: silent connections from many addresses keep nobody out",
  secondsMax: 60,
  missing: onlyOnLinux,
  run: async (context) => {
    const arena = await Arena.open(context, { heldBytesMax: 60 * MIB, seconds: 3 });
    const waits: number[] = [];
    await arena.attack(async (attack) => {
      const addresses = Array.from({ length: 6 }, (_, n) => `127.0.0.${n + 2}`);
      const flood = floodSilently(arena, attack, addresses);
      while (!attack.over) {
        waits.push(await newcomerMs(arena));
        await pause(50);
      }
      context.note(
        `${await flood} silent connections; ${waits.length} newcomers served within ${Math.max(...waits).toFixed()} ms`,
      );
    });
    assert.ok(Math.max(...waits) < NEWCOMER_MS_MAX, `a newcomer waited ${Math.max(...waits).toFixed()} ms`);
    arena.assertReached("holdfast_net_refused_undecided_total");
  },
};

const comeAndGo: Scenario = {
  title: "F25, I12: connections that are opened and reset as fast as can be leave no descriptor behind",
  secondsMax: 60,
  missing: onlyOnLinux,
  run: async (context) => {
    const arena = await Arena.open(context);
    const before = arena.server.openDescriptors();
    let count = 0;
    await arena.attack(async (attack) => {
      const one = async (localAddress: string): Promise<void> => {
        while (!attack.over) {
          const client = await RawClient.connect({ ...arena.target, localAddress });
          client.socket.resetAndDestroy();
          count++;
        }
      };
      await Promise.all(Array.from({ length: 20 }, (_, n) => one(`127.0.0.${n + 2}`)));
    });
    const after = arena.server.openDescriptors();
    context.note(`${count} connections; open descriptors: ${before} before, ${after} after`);
    assert.ok(after <= before + 4, `${after - before} descriptors leaked`);
  },
};

export const connectionScenarios: readonly Scenario[] = [perAddress, inTotal, silentFlood, comeAndGo];
