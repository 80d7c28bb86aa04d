/** The core of a server on a log and with time and chance that are handed in, as the simulator starts it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { LogClosedError, openMemoryLog } from "@holdfast/log";
import { authService, leaseService } from "@holdfast/protocol";
import type { Secrets } from "../access/secrets.js";
import type { ServerOptions } from "../server-options.js";
import { ManualTime } from "../testing/manual-time.js";
import { TestClient } from "../testing/test-client.js";
import { type RunningCore, startCore } from "./core.js";
import type { LogOpening } from "./storage.js";

/** Chance that is none: the same bytes whoever asks, and keys that are their salt. */
const knownSecrets: Secrets = {
  fillRandom: (target) => void target.fill(7),
  deriveKey: (password, salt, keyBytes, _options, done) =>
    setImmediate(() => done(null, Buffer.alloc(keyBytes, `${password}${Buffer.from(salt).toString("hex")}`))),
};

class KnownTime extends ManualTime {
  override readonly secrets = knownSecrets;
}

async function start(options: ServerOptions = {}) {
  const environment = new KnownTime();
  let opening: LogOpening | undefined;
  const openLog = async (given: LogOpening) => {
    opening = given;
    return openMemoryLog(given);
  };
  const core = await startCore({ options, environment, openLog });
  return { core, environment, opening: opening as unknown as LogOpening };
}

/** A client on a socket that is handed to the core. */
async function clientOf(t: TestContext, core: RunningCore): Promise<TestClient> {
  const door = createServer((socket) => core.grpc.handleConnection(socket)).listen(0, "127.0.0.1");
  await once(door, "listening");
  const client = await TestClient.connect((door.address() as AddressInfo).port);
  t.after(async () => {
    client.grpc.destroy();
    await core.close();
    door.close();
  });
  return client;
}

test("a core serves the connections it is given, and closes its log with itself", async (t) => {
  const { core } = await start();
  const client = await clientOf(t, core);
  await client.put("a", "1");
  assert.equal(core.context.replica.machine.revision, 2);
  client.grpc.destroy();
  const closing = core.close();
  assert.equal(core.close(), closing);
  await closing;
  await assert.rejects(core.context.replica.snapshot(), LogClosedError);
});

test("time and chance are those that are handed in", async (t) => {
  const { core, environment } = await start();
  const client = await clientOf(t, core);
  const { id } = await client.call(leaseService.methods.leaseGrant, { ttl: 5 });
  assert.equal(id, 1n);
  environment.advance(3_000);
  const { ttl } = await client.call(leaseService.methods.leaseTimeToLive, { id });
  assert.equal(ttl, 2);
  await client.call(authService.methods.userAdd, { name: "root", password: "x" });
  const hash = core.context.replica.machine.auth.user("root")?.passwordHash ?? "";
  const salt = Buffer.alloc(16, 7);
  assert.ok(hash.includes(salt.toString("base64").replace(/=+$/, "")));
  await client.call(authService.methods.roleAdd, { name: "root" });
  await client.call(authService.methods.userGrantRole, { user: "root", role: "root" });
  await client.call(authService.methods.authEnable);
  const { token } = await client.call(authService.methods.authenticate, { name: "root", password: "x" });
  assert.match(token, /^h{16}\.\d+$/);
});

test("F7: when its storage has failed, a core closes itself, once, and says so then", async () => {
  const causes: Error[] = [];
  let stopped = (): void => {};
  const isStopped = new Promise<void>((resolve) => {
    stopped = resolve;
  });
  const onFatal = (cause: Error): void => {
    causes.push(cause);
    stopped();
  };
  const { core, opening } = await start({ onFatal });
  const cause = new Error("EIO");
  opening.onFailure(cause);
  opening.onFailure(new Error("another"));
  await isStopped;
  assert.deepEqual(causes, [cause]);
  assert.equal(core.context.replica.isServing, false);
});

test("a log that cannot be opened leaves nothing behind, and options are looked at before", async () => {
  const environment = new ManualTime();
  const openLog = () => Promise.reject(new Error("no log"));
  await assert.rejects(startCore({ options: {}, environment, openLog }), /no log/);
  assert.equal(environment.ticking, 0);
  const options = { dataDri: "x" } as ServerOptions;
  await assert.rejects(startCore({ options, environment, openLog }), TypeError);
});
