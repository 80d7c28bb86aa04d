/**
 * Commands as bytes.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodePutRequest, encodeTxnRequest, MalformedMessageError } from "@holdfast/protocol";
import fc from "fast-check";
import { commandKinds, decodeCommand, encodeCommand } from "./command-codec.js";
import { commands, txnRequests } from "./testing/arbitraries.js";
import { putRequest } from "./testing/builders.js";
import { plain } from "./testing/plain.js";
import type { Command } from "./types.js";

test("every command comes back as it was, from the middle of a larger buffer too", () => {
  const kinds = new Set<string>();
  fc.assert(
    fc.property(commands, fc.nat(9), fc.nat(9), (command, before, after) => {
      kinds.add(command.kind);
      const encoded = encodeCommand(command);
      assert.deepEqual(plain(decodeCommand(encoded)), plain(command));
      const buffer = Buffer.alloc(before + encoded.length + after, 0xff);
      buffer.set(encoded, before);
      assert.deepEqual(plain(decodeCommand(buffer, before, before + encoded.length)), plain(command));
    }),
    { numRuns: 1000 },
  );
  assert.deepEqual([...kinds].sort(), Object.keys(commandKinds).sort());
});

test("extreme numbers come back as they were", () => {
  const extremes = [2n ** 63n - 1n, -(2n ** 63n), 0n];
  for (const leaseId of extremes) {
    const expiry: Command = { kind: "leaseExpire", leaseId, grantNumber: Number.MAX_SAFE_INTEGER };
    assert.deepEqual(decodeCommand(encodeCommand(expiry)), expiry);
    const grant: Command = { kind: "leaseGrant", leaseId, ttlSeconds: Number.MAX_SAFE_INTEGER };
    assert.deepEqual(decodeCommand(encodeCommand(grant)), grant);
    assert.deepEqual(decodeCommand(encodeCommand({ kind: "leaseRevoke", leaseId })), { kind: "leaseRevoke", leaseId });
  }
  for (const revision of [-Number.MAX_SAFE_INTEGER, -1, 0, Number.MAX_SAFE_INTEGER]) {
    assert.deepEqual(decodeCommand(encodeCommand({ kind: "compact", revision })), { kind: "compact", revision });
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

test("the numbers of the kinds never change", () => {
  assert.deepEqual(commandKinds, {
    put: 1,
    deleteRange: 2,
    txn: 3,
    compact: 4,
    leaseGrant: 5,
    leaseRevoke: 6,
    leaseExpire: 7,
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
  const withKind = fc.tuple(fc.nat(8), fc.uint8Array({ maxLength: 60 }));
  fc.assert(
    fc.property(withKind, ([kind, body]) => tryOut(Uint8Array.of(kind, ...body))),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(commands, fc.nat(), fc.nat(255), (command, position, byte) => {
      const encoded = encodeCommand(command);
      encoded[position % encoded.length] = byte;
      tryOut(encoded);
      tryOut(encoded.subarray(0, position % encoded.length));
    }),
    { numRuns: 2000 },
  );
  assert.ok(outcomes.decoded > 100 && outcomes.malformed > 100);
});
