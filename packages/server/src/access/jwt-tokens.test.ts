import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { mock, test } from "node:test";
import { etcdTexts } from "@holdfast/protocol";
import { StateMachine } from "@holdfast/state-machine";
import { temporaryFolder } from "../testing/temporary-folder.js";
import { JwtOptionsError, JwtTokens } from "./jwt-tokens.js";

const pairs = {
  rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ec: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  ed: generateKeyPairSync("ed25519"),
};

const methodsOfPairs = [
  ["RS256", "rsa"],
  ["PS512", "rsa"],
  ["ES256", "ec"],
  ["EdDSA", "ed"],
] as const;

class Keys {
  readonly #folder = temporaryFolder();

  file(name: string, content: string | Uint8Array): string {
    const path = join(this.#folder, name);
    writeFileSync(path, content);
    return path;
  }

  publicFile(key: KeyObject, name = "public.pem"): string {
    return this.file(name, key.export({ type: "spki", format: "pem" }));
  }

  privateFile(key: KeyObject, name = "private.pem"): string {
    return this.file(name, key.export({ type: "pkcs8", format: "pem" }));
  }
}

const { auth } = new StateMachine();
const soon = Math.floor(Date.now() / 1000) + 3_600;

function encode(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}

/** A token as another issuer makes it, with nothing of the library under test. */
function foreign(secret: string | Uint8Array, claims: unknown, header: unknown = { alg: "HS256", typ: "JWT" }): string {
  const body = `${encode(header)}.${encode(claims)}`;
  return `${body}.${createHmac("sha256", secret).update(body).digest("base64url")}`;
}

for (const [signMethod, pair] of methodsOfPairs) {
  test(`AUTH-10: ${signMethod} tokens are made with the private key and checked with the public one`, () => {
    const keys = new Keys();
    const { publicKey, privateKey } = pairs[pair];
    const issuer = new JwtTokens(auth, { signMethod, privateKeyFile: keys.privateFile(privateKey) }, 10);
    const verifier = new JwtTokens(auth, { signMethod, publicKeyFile: keys.publicFile(publicKey) }, 10);
    const token = issuer.issue("ann");
    assert.ok(typeof token === "string");
    for (const tokens of [issuer, verifier]) {
      assert.deepEqual(tokens.caller(token), { userName: "ann", authRevision: auth.revision });
    }
    assert.equal(verifier.issue("ann"), etcdTexts.verifyOnlyKey);
  });
}

test("AUTH-10: the claims are username, revision and exp, five minutes from now by default", () => {
  const privateKeyFile = new Keys().file("secret", "shared secret");
  const claimsOf = (ttlSeconds?: number): Record<string, unknown> => {
    const options = { signMethod: "HS256", privateKeyFile, ...(ttlSeconds === undefined ? {} : { ttlSeconds }) };
    const token = String(new JwtTokens(auth, options, 10).issue("ann"));
    return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  };
  const nowSeconds = Date.now() / 1000;
  for (const [ttl, expected] of [[undefined, 300] as const, [7, 7] as const]) {
    const { username, revision, exp, ...others } = claimsOf(ttl);
    assert.deepEqual([username, revision, others], ["ann", auth.revision, {}]);
    assert.ok(Math.abs(Number(exp) - nowSeconds - expected) < 30, String(exp));
  }
});

test("AUTH-10: tokens made elsewhere are accepted, with every byte of the secret's file", () => {
  const secret = Buffer.from("not text \xff\n", "latin1");
  const privateKeyFile = new Keys().file("secret", secret);
  const tokens = new JwtTokens(auth, { signMethod: "HS256", privateKeyFile }, 10);
  const claims = { username: "ann", revision: 3, exp: soon };
  assert.deepEqual(tokens.caller(foreign(secret, claims)), { userName: "ann", authRevision: 3 });
  assert.equal(tokens.caller(foreign(secret.subarray(0, -1), claims)), undefined);
});

test("AUTH-12: what is malformed, expired, not signed, or lacks a claim stands for nobody", () => {
  const privateKeyFile = new Keys().file("secret", "shared secret");
  const tokens = new JwtTokens(auth, { signMethod: "HS256", privateKeyFile }, 10);
  const good = { username: "ann", revision: 3, exp: soon };
  const good256 = foreign("shared secret", good);
  assert.notEqual(tokens.caller(good256), undefined);
  const bad = [
    "",
    "abc",
    "abcdefghijklmnop.7",
    `${good256}x`,
    foreign("another secret", good),
    foreign("shared secret", { ...good, exp: 1 }),
    foreign("shared secret", { ...good, nbf: soon }),
    foreign("shared secret", { ...good, username: 7 }),
    foreign("shared secret", { username: "ann", exp: soon }),
    foreign("shared secret", { revision: 3, exp: soon }),
    foreign("shared secret", good, { alg: "none", typ: "JWT" }),
    foreign("shared secret", good, { alg: "HS384", typ: "JWT" }),
    `${encode({ alg: "none" })}.${encode(good)}.`,
  ];
  for (const token of bad) assert.equal(tokens.caller(token), undefined, token);
});

test("AUTH-22: a token with an empty name is that of a user who does not exist", () => {
  const privateKeyFile = new Keys().file("secret", "shared secret");
  const tokens = new JwtTokens(auth, { signMethod: "HS256", privateKeyFile }, 10);
  const claims = { username: "", revision: 3, exp: soon };
  assert.deepEqual(tokens.caller(foreign("shared secret", claims)), { userName: "", authRevision: 3 });
});

test("AUTH-10, AUTH-12: a token that was good before is nobody's once it has expired", () => {
  const privateKeyFile = new Keys().file("secret", "shared secret");
  const tokens = new JwtTokens(auth, { signMethod: "HS256", privateKeyFile }, 2);
  const exp = Math.ceil(Date.now() / 1000) + 1;
  const token = foreign("shared secret", { username: "ann", revision: 3, exp });
  const first = tokens.caller(token);
  assert.equal(first?.userName, "ann");
  // Remembered: the same object, and no signature is checked.
  assert.equal(tokens.caller(token), first);
  mock.timers.enable({ apis: ["Date"], now: exp * 1000 });
  try {
    assert.equal(tokens.caller(token), undefined);
    assert.equal(tokens.caller(token), undefined);
  } finally {
    mock.timers.reset();
  }
});

test("F16, LIMIT verifiedTokens: verified tokens are remembered in bounded number, and those forgotten are verified again", () => {
  const privateKeyFile = new Keys().file("secret", "shared secret");
  const tokens = new JwtTokens(auth, { signMethod: "HS256", privateKeyFile }, 2);
  const made = ["a", "b", "c"].map((username) => foreign("shared secret", { username, revision: 1, exp: soon }));
  const callers = made.map((token) => tokens.caller(token));
  assert.deepEqual(
    callers.map((caller) => caller?.userName),
    ["a", "b", "c"],
  );
  assert.equal(tokens.caller(made[2] as string), callers[2]);
  assert.notEqual(tokens.caller(made[0] as string), callers[0]);
  assert.deepEqual(tokens.caller(made[0] as string), callers[0]);
});

test("AUTH-10: the method in a token's header must be the configured one", () => {
  const keys = new Keys();
  const { publicKey, privateKey } = pairs.rsa;
  const publicKeyFile = keys.publicFile(publicKey);
  const tokens = new JwtTokens(auth, { signMethod: "RS256", publicKeyFile }, 10);
  const claims = { username: "root", revision: 3, exp: soon };
  const signed = (algorithm: string, digest: string): string => {
    const body = `${encode({ alg: algorithm, typ: "JWT" })}.${encode(claims)}`;
    return `${body}.${sign(digest, Buffer.from(body), privateKey).toString("base64url")}`;
  };
  assert.equal(tokens.caller(signed("RS256", "sha256"))?.userName, "root");
  assert.equal(tokens.caller(signed("RS384", "sha384")), undefined);
  // The classic: the public key, which everybody has, taken for a shared secret.
  const pem = publicKey.export({ type: "spki", format: "pem" });
  assert.equal(tokens.caller(foreign(pem as string, claims)), undefined);
});

test("AUTH-10: options that cannot work are refused at the start", () => {
  const keys = new Keys();
  const rsaPrivate = keys.privateFile(pairs.rsa.privateKey, "rsa.pem");
  const otherPublic = keys.publicFile(generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey, "other.pem");
  const wrong = [
    { signMethod: "none", privateKeyFile: rsaPrivate },
    { signMethod: "", privateKeyFile: rsaPrivate },
    { signMethod: "RS256" },
    { signMethod: "HS256" },
    { signMethod: "HS256", privateKeyFile: keys.file("empty", "") },
    { signMethod: "RS256", privateKeyFile: "/nowhere/key.pem" },
    { signMethod: "RS256", privateKeyFile: keys.file("text", "no key at all") },
    { signMethod: "ES256", privateKeyFile: rsaPrivate },
    { signMethod: "RS256", privateKeyFile: rsaPrivate, publicKeyFile: otherPublic },
    { signMethod: "RS256", privateKeyFile: rsaPrivate, ttlSeconds: 0 },
  ];
  for (const options of wrong)
    assert.throws(() => new JwtTokens(auth, options, 10), JwtOptionsError, JSON.stringify(options));
});
