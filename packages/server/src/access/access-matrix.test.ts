/** F47: every call by everybody who has a token or none, through every door. Certificates: `access-certificates.test.ts`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { authService, methodsByPath } from "@holdfast/protocol";
import { allMethods } from "../services/all.js";
import { grpcDoor, jsonDoor, webSocketDoor } from "../testing/access-doors.js";
import { type Caller, checkColumn, prepare } from "../testing/access-matrix.js";
import { accessRows, untoldMethods } from "../testing/access-rows.js";
import { addUser, logIn } from "../testing/secured.js";
import { Services } from "../testing/services.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import type { TestClient } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";
import { write } from "../testing/tls.js";
import { rightsByPath } from "./rights.js";

const auth = authService.methods;
const slow = { timeout: 120_000 };

/** Tokens that were good once. Leaves authentication on, and all tokens of before void. */
async function staleTokens(anonymous: TestClient): Promise<Caller[]> {
  const users = ["changed", "deleted", "disabled"];
  for (const name of users) await addUser(anonymous, name, [["rw", "\0", "\0"]]);
  await anonymous.call(auth.authEnable);
  const disabled = await logIn(anonymous, "disabled");
  await anonymous.withToken(await logIn(anonymous, "root")).call(auth.authDisable);
  await anonymous.call(auth.authEnable);
  const [changed, deleted] = [await logIn(anonymous, "changed"), await logIn(anonymous, "deleted")];
  const root = anonymous.withToken(await logIn(anonymous, "root"));
  await root.call(auth.userChangePassword, { name: "changed", password: "changed" });
  await root.call(auth.userDelete, { name: "deleted" });
  return [
    { kind: "bad token", title: "a token of before authentication was off", token: disabled },
    { kind: "bad token", title: "a token of before the password was changed", token: changed },
    { kind: "bad token", title: "a token of a user that is no more", token: deleted },
  ];
}

async function demoted(anonymous: TestClient): Promise<Caller> {
  const root = anonymous.withToken(await logIn(anonymous, "root"));
  await addUser(root, "demoted", [["rw", "\0", "\0"]]);
  await root.call(auth.userGrantRole, { user: "demoted", role: "root" });
  const token = await logIn(anonymous, "demoted");
  for (const role of ["demoted", "root"]) await root.call(auth.userRevokeRole, { name: "demoted", role });
  return { kind: "powerless", title: "a token of before the roles were taken away", token };
}

async function loggedIn(anonymous: TestClient, kind: "powerless" | "holder" | "root"): Promise<Caller> {
  return { kind, title: kind, token: await logIn(anonymous, kind) };
}

test("F47, I13: every method of the .proto files has a row here, a right in the server, and a handler", async (t) => {
  assert.deepEqual(untoldMethods(), []);
  const paths = [...methodsByPath.keys()].sort();
  assert.deepEqual([...rightsByPath.keys()].sort(), paths);
  const { context } = await Services.start(t);
  const served = allMethods(context).map(({ path }) => path);
  for (const path of paths) assert.ok(served.includes(path), path);
  // Older names of a service are served by the same handler, and are held to the same row.
  const aliases = served.filter((path) => !methodsByPath.has(path));
  assert.deepEqual(aliases, ["/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"]);
});

for (const through of ["gRPC", "JSON", "a WebSocket"] as const) {
  test(
    `F47, I13, AUTH-20, GEN-9: every call by nobody, with no good token, without rights, with rights and by root, through ${through}`,
    slow,
    async (t) => {
      const { server, client: anonymous } = await start(t, { auth: { passwordCost: 4 } });
      await prepare(anonymous);
      const stale = await staleTokens(anonymous);
      const origin = `http://${server.running.addresses[0]}`;
      const doors = { gRPC: grpcDoor(anonymous), JSON: jsonDoor(origin), "a WebSocket": webSocketDoor(origin) };
      const rows = accessRows.filter(({ method }) => through === "gRPC" || method.httpPaths.length > 0);
      const callers: Caller[] = [
        { kind: "nobody", title: "nobody", token: undefined },
        { kind: "bad token", title: "an invented token", token: "abcdefghijklmnop.7" },
        ...stale,
        await demoted(anonymous),
        await loggedIn(anonymous, "powerless"),
        await loggedIn(anonymous, "holder"),
      ];
      let mender: TestClient | undefined;
      const root = async (): Promise<TestClient> => {
        const isGood =
          mender !== undefined &&
          (await mender.call(auth.authStatus).then(
            () => true,
            () => false,
          ));
        if (!isGood) mender = anonymous.withToken((await loggedIn(anonymous, "root")).token ?? "");
        return mender as TestClient;
      };
      let calls = 0;
      for (const caller of callers) calls += await checkColumn(caller, doors[through], through, root, rows);
      const asRoot = await loggedIn(anonymous, "root");
      calls += await checkColumn(
        asRoot,
        doors[through],
        through,
        async () => {
          const { enabled } = await anonymous.call(auth.authStatus);
          return enabled ? root() : anonymous;
        },
        rows,
      );
      assert.equal(calls, rows.length * (callers.length + 1));
    },
  );
}

test(
  "F47, AUTH-11: a signed token of before users, roles or permissions changed opens nothing that takes rights to keys",
  slow,
  async (t) => {
    const privateKeyFile = write(temporaryFolder(), "secret", "shared secret");
    const token = { signMethod: "HS256", privateKeyFile };
    const { client: anonymous } = await start(t, { auth: { passwordCost: 4, token } });
    await prepare(anonymous);
    await anonymous.call(auth.authEnable);
    const stale = await logIn(anonymous, "holder");
    const root = anonymous.withToken(await logIn(anonymous, "root"));
    await root.call(auth.roleAdd, { name: "another" });
    const door = grpcDoor(anonymous);
    for (const { method, request } of accessRows.filter(({ needed }) => needed === "keys")) {
      const refused = await door(method, request(0), stale);
      assert.match(refused?.message ?? "through", /revision of auth store is old/, method.path);
    }
  },
);

test(
  "F47, I13: the pages are open, as their rows say, whatever token comes along; there is no other way in",
  slow,
  async (t) => {
    const { server, client } = await start(t, { auth: { passwordCost: 4 }, listenMetrics: "127.0.0.1:0" });
    await prepare(client);
    await client.call(auth.authEnable);
    const statusOf = async (address: string | undefined, path: string, token: string): Promise<number> => {
      const response = await fetch(`http://${address}${path}`, {
        headers: { connection: "close", authorization: token },
      });
      await response.arrayBuffer();
      return response.status;
    };
    const [everything] = server.running.addresses;
    const [metrics] = server.running.metricsAddresses;
    const pages = {
      "/health": true,
      "/livez": true,
      "/readyz": true,
      "/metrics": true,
      "/version": false,
      "/debug/vars": false,
    };
    for (const [path, isForMonitoring] of Object.entries(pages)) {
      assert.equal(await statusOf(everything, path, "rubbish"), 200, path);
      assert.equal(await statusOf(metrics, path, "rubbish"), isForMonitoring ? 200 : 404, path);
    }
    for (const path of ["/debug/pprof/", "/debug/requests", "/v2/keys", "/config/local/log", "/"]) {
      assert.equal(await statusOf(everything, path, ""), 404, path);
    }
    assert.equal(await statusOf(metrics, "/v3/kv/range", ""), 404);
  },
);
