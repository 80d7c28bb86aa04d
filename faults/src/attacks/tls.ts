/** Attacks on the TLS handshake, and on what follows it (F26, F42). */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTls } from "node:tls";
import type { Scenario, ScenarioContext } from "../scenario.js";
import { nowMs, pause } from "../waiting.js";
import { Arena, type ArenaOptions } from "./arena.js";
import { greeting } from "./frames.js";
import { RawClient, type Target } from "./raw-client.js";

const MIB = 1024 * 1024;
const HANDSHAKE_MS = 10_000;
const SLACK_MS = 4_000;
/** The beginning of a ClientHello: a record of 512 bytes that is not sent whole. */
const helloBegun = Buffer.from("1603010200010001fc0303", "hex");

/** A server with two addresses: clear text, where the honest client is, and TLS. */
async function openSecured(
  context: ScenarioContext,
  options: ArenaOptions = {},
): Promise<{ arena: Arena; secured: Target }> {
  const arena = await Arena.open(context, {
    ...options,
    listen: "http://127.0.0.1:0,https://127.0.0.1:0",
    args: ["--auto-tls"],
  });
  const ready = arena.server.output.find((line) => line.includes('"msg":"ready"')) ?? "{}";
  const { addresses } = JSON.parse(ready) as { readonly addresses: readonly string[] };
  return { arena, secured: { host: "127.0.0.1", port: Number(addresses[1]?.split(":")[1]) } };
}

const options = { rejectUnauthorized: false, ALPNProtocols: ["h2"] } as const;

const stalled: Scenario = {
  title: "F26, I12, LIMIT handshakeDeadlineMs: 600 TLS handshakes that never begin, never end, or come in drops",
  secondsMax: 60,
  run: async (context) => {
    const { arena, secured } = await openSecured(context, { heldBytesMax: 40 * MIB, seconds: 0 });
    await arena.attack(async () => {
      const one = async (kind: number): Promise<number> => {
        const client = await RawClient.connect(secured, false);
        const startedMs = nowMs();
        if (kind === 1) await client.send(helloBegun);
        for (let at = 0; !client.isClosed && nowMs() - startedMs < HANDSHAKE_MS + SLACK_MS; at++) {
          if (kind === 2 && at < helloBegun.length) await client.send(helloBegun.subarray(at, at + 1));
          await client.closedWithin(500);
        }
        client.destroy();
        return client.isClosed ? nowMs() - startedMs : Number.POSITIVE_INFINITY;
      };
      const lasted: Promise<number>[] = [];
      for (let n = 0; n < 600; n++) {
        lasted.push(one(n % 3));
        if (n % 25 === 24) await pause(10);
      }
      const most = Math.max(...(await Promise.all(lasted)));
      context.note(`600 handshakes given up within ${(most / 1_000).toFixed(1)} s`);
      assert.ok(most < HANDSHAKE_MS + SLACK_MS, "a handshake was not given up");
    });
    arena.assertReached("holdfast_net_handshake_timeouts_total");
  },
};

const junk: Scenario = {
  title: "F42, I12: junk, clear text and old protocols at an address that speaks TLS",
  secondsMax: 60,
  run: async (context) => {
    const { arena, secured } = await openSecured(context, { heldBytesMax: 40 * MIB });
    const kinds = [
      greeting(),
      Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
      Buffer.alloc(20_000, 0x16),
      Buffer.alloc(20_000, 7),
      Buffer.from("80420100020000000300", "hex"),
      Buffer.concat([Buffer.from("1603014000", "hex"), Buffer.alloc(16_384)]),
    ];
    let count = 0;
    await arena.attack(async (attack) => {
      const one = async (): Promise<void> => {
        while (!attack.over) {
          const kind = count++ % kinds.length;
          const client = await RawClient.connect(secured, false);
          await client.send(kinds[kind] ?? greeting());
          // The beginning of a valid record may wait for its end.
          if (kind < 4) assert.ok(await client.closedWithin(3_000), `junk ${kind} was not closed`);
          client.destroy();
        }
      };
      await Promise.all(Array.from({ length: 8 }, one));
    });
    context.note(`${count} connections`);
    arena.assertReached("holdfast_net_handshake_failures_total");
  },
};

const handshakes: Scenario = {
  title: "F25, I12: TLS handshakes as fast as can be, each given up when it is done",
  secondsMax: 60,
  run: async (context) => {
    const { arena, secured } = await openSecured(context, { heldBytesMax: 60 * MIB });
    const before = arena.server.openDescriptors();
    let count = 0;
    await arena.attack(async (attack) => {
      const one = async (): Promise<void> => {
        while (!attack.over) {
          const client = await RawClient.connect({ ...secured, tls: options }, false);
          client.destroy();
          count++;
        }
      };
      await Promise.all(Array.from({ length: 8 }, one));
    });
    await pause(100);
    const after = arena.server.openDescriptors();
    context.note(`${count} handshakes; open descriptors: ${before} before, ${after} after`);
    assert.ok(after <= before + 4, `${after - before} descriptors leaked`);
  },
};

const renegotiation: Scenario = {
  title: "F42, I12: a client cannot have its connection encrypted anew, over and over",
  secondsMax: 60,
  run: async (context) => {
    const { arena, secured } = await openSecured(context);
    let refused = 0;
    await arena.attack(async (attack) => {
      while (!attack.over) {
        const socket = connectTls({ ...options, ...secured, maxVersion: "TLSv1.2" });
        await once(socket, "secureConnect");
        socket.write(greeting());
        await once(socket, "data");
        const refusal = new Promise<Error>((resolve) => socket.once("error", resolve));
        socket.renegotiate({}, (error) => assert.notEqual(error, null, "a second handshake succeeded"));
        assert.match((await refusal).message, /no renegotiation/);
        socket.destroy();
        refused++;
      }
    });
    context.note(`${refused} attempts, each refused`);
  },
};

export const tlsScenarios: readonly Scenario[] = [stalled, junk, handshakes, renegotiation];
