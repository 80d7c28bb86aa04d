/** F47: every call by callers who are who their certificates say. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { connect } from "node:tls";
import { authService } from "@holdfast/protocol";
import { grpcDoor, jsonDoor } from "../testing/access-doors.js";
import { type Caller, type CallerKind, checkColumn, prepare } from "../testing/access-matrix.js";
import { accessRows } from "../testing/access-rows.js";
import { issue, issueLocal, makeAuthority } from "../testing/certificates.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import type { TestClient } from "../testing/test-client.js";
import { portOf } from "../testing/test-server.js";
import { identity, startTls, write } from "../testing/tls.js";

const auth = authService.methods;
const slow = { timeout: 120_000 };

/** A server whose clients are who their certificates say, ready for the rows, with authentication on. */
async function certified(t: TestContext) {
  const authority = await makeAuthority();
  const trustedCaFile = write(temporaryFolder(), "clients.crt", authority.cert);
  const options = { trustedCaFile, clientCertAuth: true, server: { auth: { passwordCost: 4 } } };
  const tls = await startTls(t, options, authority);
  const as = async (name: string): Promise<TestClient> => tls.client(await issue(authority, name));
  const root = await as("root");
  await prepare(root);
  await root.call(auth.authEnable);
  return { tls, authority, as, root };
}

test(
  "F47, I13, AUTH-13: every call by who a verified certificate says, over gRPC; a bad token is not made up for by one",
  slow,
  async (t) => {
    const { as, root } = await certified(t);
    const kinds: readonly (readonly [CallerKind, string])[] = [
      ["no user", "ghost"],
      ["powerless", "powerless"],
      ["holder", "holder"],
      ["root", "root"],
    ];
    for (const [kind, name] of kinds) {
      const door = grpcDoor(await as(name));
      const caller = { kind, title: `the certificate of ${name}`, token: undefined };
      await checkColumn(caller, door, "gRPC", async () => root);
    }
    const badToken: Caller = {
      kind: "bad token",
      title: "root's certificate and a bad token",
      token: "abcdefghijklmnop.7",
    };
    await checkColumn(badToken, grpcDoor(root), "gRPC", async () => root);
  },
);

test("F47, I13, AUTH-13: the name in a certificate opens no call of the gateway", slow, async (t) => {
  const { tls, authority } = await certified(t);
  const certificate = identity(await issueLocal(authority, "root"));
  const options = { ca: authority.cert, ...certificate };
  const turnedAway = /CommonName of client sending a request against gateway/;
  const json = jsonDoor(tls.server.endpoint, options);
  for (const { method, request } of accessRows.filter(({ method: { httpPaths } }) => httpPaths.length > 0)) {
    assert.match((await json(method, request(0), undefined))?.message ?? "through", turnedAway, method.path);
  }
});

test(
  "F47: a certificate counts only if it was verified: one that a stranger signed does not get as far as a call",
  slow,
  async (t) => {
    const { tls } = await certified(t);
    const forged = await issue(await makeAuthority(), "root");
    const socket = connect({
      host: "127.0.0.1",
      port: portOf(tls.server.endpoint),
      ca: tls.authority.cert,
      servername: "localhost",
      ALPNProtocols: ["h2"],
      ...identity(forged),
    });
    const ended = new Promise<string>((resolve) => {
      socket.on("data", () => resolve("was answered"));
      socket.on("error", () => resolve("turned away"));
      socket.on("close", () => resolve("turned away"));
    });
    assert.equal(await ended, "turned away");
  },
);
