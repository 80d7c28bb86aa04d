import assert from "node:assert/strict";
import { test } from "node:test";
import { StateMachine } from "@holdfast/state-machine";
import type { ServerCall } from "@holdfast/transport";
import { defaultServiceLimits } from "../limits.js";
import { Access, type AccessOptions, invalidToken } from "./access.js";
import { passwordCostMin } from "./password-hash.js";

function enabledMachine(): StateMachine {
  const machine = new StateMachine();
  machine.apply({ kind: "userAdd", name: "root", passwordHash: "h", noPassword: false });
  machine.apply({ kind: "userGrantRole", userName: "root", roleName: "root" });
  machine.apply({ kind: "authEnable" });
  return machine;
}

function accessTo(machine: StateMachine, options: Partial<AccessOptions> = {}): Access {
  const auth = { passwordCost: passwordCostMin, ...options.auth };
  return new Access({
    machine,
    limits: defaultServiceLimits,
    nowMs: () => 0,
    logIndex: () => 1,
    ...options,
    auth,
  });
}

/** As much of a call as tells who makes it. */
function callWith(metadata: Record<string, string>, certificateName?: string): ServerCall {
  const peer = { address: "127.0.0.1", port: 1, ...(certificateName === undefined ? {} : { certificateName }) };
  return { peer, metadata: new Map(Object.entries(metadata)) } as unknown as ServerCall;
}

test("GEN-9: the token is read from `token`, else `authorization`, with or without Bearer", () => {
  const access = accessTo(enabledMachine());
  const token = String(access.tokens.issue("root"));
  const good: Record<string, string>[] = [
    { token },
    { authorization: token },
    { token: `Bearer ${token}` },
    { authorization: `Bearer ${token}` },
    { token, authorization: "rubbish" },
  ];
  for (const metadata of good)
    assert.deepEqual(access.identify(callWith(metadata)), { userName: "root", authRevision: 3 });
  const bad: Record<string, string>[] = [
    { token: "" },
    { token: "rubbish" },
    { token: "rubbish", authorization: token },
    { token: `bearer ${token}` },
  ];
  for (const metadata of bad) assert.equal(access.identify(callWith(metadata)), invalidToken, JSON.stringify(metadata));
  assert.equal(access.identify(callWith({})), undefined);
});

test("AUTH-3: with authentication off tokens are not looked at", () => {
  const access = accessTo(new StateMachine());
  assert.equal(access.identify(callWith({ token: "rubbish" }, "ann")), undefined);
});

test("AUTH-13: without a token the certificate says who calls, but not for the gateway, and a bad token is an error", () => {
  const machine = enabledMachine();
  const access = accessTo(machine, { certificatesIdentify: true });
  const ann = { userName: "ann", authRevision: 3 };
  assert.deepEqual(access.identify(callWith({}, "ann")), ann);
  assert.equal(access.identify(callWith({ "grpcgateway-accept": "*/*" }, "ann")), undefined);
  assert.equal(access.identify(callWith({ token: "rubbish" }, "ann")), invalidToken);
  assert.equal(access.identify(callWith({}, "")), undefined);
  assert.equal(accessTo(machine).identify(callWith({}, "ann")), undefined);
});

test("AUTH-22: a certificate's unknown user is denied what any user may do, and is not found for what takes root", () => {
  const access = accessTo(enabledMachine(), { certificatesIdentify: true });
  const caller = access.identify(callWith({}, "nobody"));
  assert.ok(caller !== invalidToken);
  assert.equal(access.refusal({ kind: "admin" }, caller), "user-not-found");
  assert.equal(access.refusal({ kind: "authenticated" }, caller), "permission-denied");
});

test("a lifetime or cost that makes no sense is refused at the start", () => {
  const machine = new StateMachine();
  for (const auth of [{ tokenTtlSeconds: 0 }, { tokenTtlSeconds: Number.NaN }, { passwordCost: 99 }]) {
    assert.throws(() => accessTo(machine, { auth }), RangeError);
  }
});
