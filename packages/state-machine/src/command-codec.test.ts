/**
 * Commands as bytes.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeAuthUserAddRequest,
  encodePutRequest,
  encodeTxnRequest,
  MalformedMessageError,
} from "@holdfast/protocol";
import fc from "fast-check";
import { systemCaller } from "./auth/auth-types.js";
import { callerBytes, callerKinds } from "./auth/caller-codec.js";
import { commandKinds, decodeCommand, encodeCommand, loggedForm } from "./command-codec.js";
import { callers, commands, txnRequests } from "./testing/arbitraries.js";
import { putRequest } from "./testing/builders.js";
import { plain } from "./testing/plain.js";
import type { Command } from "./types.js";

test("every command comes back as it was, from the middle of a larger buffer too", () => {
  const kinds = new Set<string>();
  fc.assert(
    fc.property(commands, fc.nat(9), fc.nat(9), (command, before, after) => {
      kinds.add(command.kind);
      const encoded = encodeCommand(command);
      assert.deepEqual(plain(decodeCommand(encoded).command), plain(command));
      const buffer = Buffer.alloc(before + encoded.length + after, 0xff);
      buffer.set(encoded, before);
      assert.deepEqual(plain(decodeCommand(buffer, before, before + encoded.length).command), plain(command));
    }),
    { numRuns: 1000 },
  );
  assert.deepEqual([...kinds].sort(), Object.keys(commandKinds).sort());
});

test("extreme numbers come back as they were", () => {
  const extremes = [2n ** 63n - 1n, -(2n ** 63n), 0n];
  for (const leaseId of extremes) {
    const expiry: Command = { kind: "leaseExpire", leaseId, grantNumber: Number.MAX_SAFE_INTEGER };
    assert.deepEqual(decodeCommand(encodeCommand(expiry)).command, expiry);
    const grant: Command = { kind: "leaseGrant", leaseId, ttlSeconds: Number.MAX_SAFE_INTEGER };
    assert.deepEqual(decodeCommand(encodeCommand(grant)).command, grant);
    assert.deepEqual(decodeCommand(encodeCommand({ kind: "leaseRevoke", leaseId })).command, {
      kind: "leaseRevoke",
      leaseId,
    });
  }
  for (const revision of [-Number.MAX_SAFE_INTEGER, -1, 0, Number.MAX_SAFE_INTEGER]) {
    assert.deepEqual(decodeCommand(encodeCommand({ kind: "compact", revision })).command, {
      kind: "compact",
      revision,
    });
  }
});

test("behind the kind byte stand the bytes of the etcd message, so that received bytes can be logged", () => {
  const request = putRequest({ key: "a", value: "x", lease: -1n });
  assert.deepEqual([...encodeCommand({ kind: "put", request })], [commandKinds.put, ...encodePutRequest(request)]);
  fc.assert(
    fc.property(txnRequests, (txn) => {
      const encoded = encodeCommand({ kind: "txn", request: txn });
      assert.deepEqual(Buffer.from(encoded.subarray(1)), Buffer.from(encodeTxnRequest(txn)));
    }),
  );
});

test("every caller comes back as it was, in front of every command", () => {
  fc.assert(
    fc.property(commands, callers, fc.nat(9), (command, caller, before) => {
      const encoded = encodeCommand(command, caller);
      const buffer = Buffer.alloc(before + encoded.length + 3, 0xff);
      buffer.set(encoded, before);
      const logged = decodeCommand(buffer, before, before + encoded.length);
      assert.deepEqual(plain(logged.command), plain(command));
      assert.deepEqual(plain(logged.caller), plain(caller));
      assert.equal(logged.caller === systemCaller, caller === systemCaller);
      assert.equal(encoded.length, callerBytes(caller) + encodeCommand(command).length);
    }),
    { numRuns: 1000 },
  );
});

test("how a caller stands in front of a command never changes", () => {
  const compact: Command = { kind: "compact", revision: 5 };
  const userBytes = [8, 0, 0, 0, 0, 0, 0, 0x08, 0x40, 2, 0, 0, 0, 0xe9, 0];
  assert.deepEqual([...encodeCommand(compact, { userName: "é", authRevision: 3 })], [...userBytes, 4, 8, 5]);
  assert.deepEqual([...encodeCommand(compact, systemCaller)], [9, 4, 8, 5]);
  assert.deepEqual([...encodeCommand(compact)], [4, 8, 5]);
  assert.deepEqual(callerKinds, { user: 8, system: 9 });
  assert.deepEqual(
    Object.values(commandKinds).filter((kind) => Object.values<number>(callerKinds).includes(kind)),
    [],
  );
});

test("a caller that is cut off, twice there, alone or half a character is malformed", () => {
  const whole = encodeCommand({ kind: "authEnable" }, { userName: "name", authRevision: 3 });
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => decodeCommand(whole.subarray(0, length)), MalformedMessageError);
    assert.throws(() => decodeCommand(whole, 0, length), MalformedMessageError);
  }
  const halved = Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x41, ...encodeCommand({ kind: "authEnable" }));
  const endless = whole.slice();
  endless.set([0xff, 0xff, 0xff, 0xff], 9);
  for (const bytes of [halved, endless, Uint8Array.of(9, ...whole), Uint8Array.of(9, 9, 4), Uint8Array.of(9)]) {
    assert.throws(() => decodeCommand(bytes), MalformedMessageError);
  }
});

test("half a surrogate pair in a name is applied as it is logged", () => {
  for (const half of ["\ud800", "a\udc00b", "\udc00\ud800"]) {
    const caller = { userName: half, authRevision: 1 };
    assert.deepEqual(decodeCommand(encodeCommand({ kind: "authEnable" }, caller)).caller, caller);
    const command: Command = { kind: "roleAdd", name: half };
    const encoded = encodeCommand(command);
    assert.deepEqual(loggedForm(command, encoded), decodeCommand(encoded).command);
    assert.notDeepEqual(loggedForm(command, encoded), command);
  }
});

test("no password stands in the log in plain text, but in the field for hashes", () => {
  const encoded = encodeCommand({ kind: "userAdd", name: "u", passwordHash: "hash", noPassword: false });
  const request = decodeAuthUserAddRequest(encoded, 1);
  assert.deepEqual([request.password, request.hashedPassword], ["", "hash"]);
});

test("the numbers of the kinds never change", () => {
  assert.deepEqual(commandKinds, {
    put: 1,
    deleteRange: 2,
    txn: 3,
    compact: 4,
    leaseGrant: 5,
    leaseRevoke: 6,
    leaseExpire: 7,
    authEnable: 10,
    authDisable: 11,
    userAdd: 12,
    userDelete: 13,
    userChangePassword: 14,
    userGrantRole: 15,
    userRevokeRole: 16,
    roleAdd: 17,
    roleDelete: 18,
    roleGrantPermission: 19,
    roleRevokePermission: 20,
    alarm: 21,
  });
});

test("a lease id beyond 64 bits is a mistake of the caller", () => {
  for (const leaseId of [2n ** 63n, -(2n ** 63n) - 1n]) {
    assert.throws(() => encodeCommand({ kind: "leaseRevoke", leaseId }), RangeError);
    assert.throws(() => encodeCommand({ kind: "leaseExpire", leaseId, grantNumber: 1 }), RangeError);
  }
});

test("no bytes, unknown kinds and expiries of a wrong length are malformed", () => {
  const expiry = encodeCommand({ kind: "leaseExpire", leaseId: 1n, grantNumber: 1 });
  const malformed = [[], [0], [8], [255, 1, 2], [...expiry, 0], [...expiry.slice(0, -1)], [7, ...Array(16).fill(0xff)]];
  for (const bytes of malformed) assert.throws(() => decodeCommand(Uint8Array.from(bytes)), MalformedMessageError);
});

test("random and damaged bytes decode or are malformed, and nothing else", () => {
  const outcomes = { decoded: 0, malformed: 0 };
  const tryOut = (bytes: Uint8Array): void => {
    try {
      decodeCommand(bytes);
      outcomes.decoded += 1;
    } catch (error) {
      assert.ok(error instanceof MalformedMessageError);
      outcomes.malformed += 1;
    }
  };
  const withKind = fc.tuple(fc.nat(22), fc.uint8Array({ maxLength: 60 }));
  fc.assert(
    fc.property(withKind, ([kind, body]) => tryOut(Uint8Array.of(kind, ...body))),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(commands, callers, fc.nat(), fc.nat(255), (command, caller, position, byte) => {
      const encoded = encodeCommand(command, caller);
      encoded[position % encoded.length] = byte;
      tryOut(encoded);
      tryOut(encoded.subarray(0, position % encoded.length));
    }),
    { numRuns: 2000 },
  );
  assert.ok(outcomes.decoded > 100 && outcomes.malformed > 100);
});
