/**
 * Comparisons that a peer can probe take no notice of how much of a guess is right. The functions of `node:crypto` are
 * replaced before the code under test is loaded, which therefore is loaded by each test.
 */
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { mock, test } from "node:test";
import { StateMachine } from "@holdfast/state-machine";
import { temporaryFolder } from "../testing/temporary-folder.js";

const compared: [number, number][] = [];
const hashed: string[] = [];
const { timingSafeEqual, hash } = crypto;
mock.method(crypto, "timingSafeEqual", (one: Uint8Array, other: Uint8Array) => {
  compared.push([one.byteLength, other.byteLength]);
  return timingSafeEqual(one, other);
});
mock.method(crypto, "hash", (...args: Parameters<typeof hash>) => {
  hashed.push(String(args[1]));
  return hash(...args);
});
syncBuiltinESMExports();

/** How often two secrets were compared in constant time while `work` ran. */
async function comparisons(work: () => unknown): Promise<number> {
  compared.length = 0;
  await work();
  for (const [one, other] of compared) assert.equal(one, other);
  return compared.length;
}

/** Every string that was searched for in a map while `work` ran. */
function searchedFor(work: () => void): unknown[] {
  const get = mock.method(Map.prototype, "get");
  work();
  get.mock.restore();
  return get.mock.calls.map((call) => call.arguments[0]);
}

test("F47: keys made of passwords are compared in constant time, whether the password is right, wrong, or nobody's", async () => {
  const { Passwords } = await import("./passwords.js");
  const limits = {
    passwordHashesAtOnce: 1,
    passwordHashesWaiting: 1,
    passwordHashBytes: 1 << 28,
    passwordHashWork: 2 ** 22,
  };
  const passwords = new Passwords(4, limits);
  const kept = await passwords.hash("right", () => true);
  for (const [password, known] of [
    ["right", kept],
    ["wrong", kept],
    ["", undefined],
    ["", ""],
    ["x", "no hash of ours"],
  ] as const) {
    assert.equal(await comparisons(() => passwords.matches(password, known, () => true)), 1, password);
  }
});

test("F47: a simple token is found by its digest: nothing is searched for, or kept, that it is a part of", async () => {
  const { SimpleTokens } = await import("./simple-tokens.js");
  const { auth } = new StateMachine();
  const tokens = new SimpleTokens(auth, { ttlMs: 1_000, tokensMax: 10, nowMs: () => 0, logIndex: () => 1 });
  const token = tokens.issue("ann");
  const guess = `${token.slice(0, -1)}x`;
  for (const text of [token, guess]) {
    hashed.length = 0;
    for (const searched of searchedFor(() => tokens.caller(text))) {
      assert.ok(typeof searched !== "string" || !searched.includes(token.slice(0, 8)), String(searched));
    }
    assert.ok(hashed.includes(text));
  }
});

test("F47: signatures made with a shared secret are compared in constant time, and tokens known to be good found by digest", async () => {
  const { JwtTokens } = await import("./jwt-tokens.js");
  const privateKeyFile = join(temporaryFolder(), "secret");
  writeFileSync(privateKeyFile, "shared secret");
  const tokens = new JwtTokens(new StateMachine().auth, { signMethod: "HS256", privateKeyFile }, 10);
  const token = tokens.issue("ann");
  assert.ok(typeof token === "string");
  const forged = token.replace(/.{4}$/, "AAAA");
  assert.equal(await comparisons(() => assert.equal(tokens.caller(forged), undefined)), 1);
  assert.equal(await comparisons(() => assert.equal(tokens.caller(token)?.userName, "ann")), 1);
  const again = (): void => void tokens.caller(token);
  assert.equal(await comparisons(again), 0);
  assert.ok(!searchedFor(again).includes(token));
});
