import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuthView, UserRecord } from "@holdfast/state-machine";
import { SimpleTokens } from "./simple-tokens.js";

class Users implements AuthView {
  enabled = true;
  revision = 1;
  readonly records = new Map<string, UserRecord>();

  constructor(...names: string[]) {
    for (const name of names) this.set(name, "hash 1");
  }

  set(name: string, passwordHash: string): void {
    this.records.set(name, { name, passwordHash, noPassword: false, roles: [] });
    this.revision++;
  }

  user(name: string): UserRecord | undefined {
    return this.records.get(name);
  }

  users(): Iterable<UserRecord> {
    return this.records.values();
  }

  role(): undefined {}

  roles(): [] {
    return [];
  }
}

/** Tokens of one second, with time by hand. */
class Kit {
  readonly users = new Users("ann", "bob");
  readonly tokens: SimpleTokens;
  nowMs = 0;

  constructor(tokensMax = 100) {
    const options = { ttlMs: 1_000, tokensMax, nowMs: () => this.nowMs, logIndex: () => 42 };
    this.tokens = new SimpleTokens(this.users, options);
  }
}

test("AUTH-9: a token is 16 letters, a dot and a number, and never the same", () => {
  const { tokens } = new Kit();
  const issued = Array.from({ length: 50 }, () => tokens.issue("ann"));
  for (const token of issued) assert.match(token, /^[A-Za-z]{16}\.42$/);
  assert.equal(new Set(issued).size, 50);
});

test("AUTH-9: each use restarts the clock", () => {
  const it = new Kit();
  const token = it.tokens.issue("ann");
  for (it.nowMs = 900; it.nowMs < 5_000; it.nowMs += 900) assert.equal(it.tokens.caller(token)?.userName, "ann");
  it.nowMs += 200;
  assert.equal(it.tokens.caller(token), undefined);
  assert.equal(it.tokens.size, 0);
});

test("AUTH-9: deleting the user or changing the password voids the user's tokens, role changes do not", () => {
  const { tokens, users } = new Kit();
  const [ann, bob] = [tokens.issue("ann"), tokens.issue("bob")];
  users.records.set("ann", { ...(users.user("ann") as UserRecord), roles: ["r"] });
  assert.equal(tokens.caller(ann)?.userName, "ann");
  users.set("ann", "hash 2");
  users.records.delete("bob");
  assert.deepEqual([tokens.caller(ann), tokens.caller(bob)], [undefined, undefined]);
  users.set("bob", "hash 3");
  assert.equal(tokens.caller(bob), undefined);
});

test("AUTH-11: a simple token stands for the current revision, without an object per use", () => {
  const { tokens, users } = new Kit();
  const token = tokens.issue("ann");
  const first = tokens.caller(token);
  assert.equal(tokens.caller(token), first);
  users.revision = 9;
  assert.deepEqual(tokens.caller(token), { userName: "ann", authRevision: 9 });
});

test("AUTH-6: all tokens can be voided", () => {
  const { tokens } = new Kit();
  const token = tokens.issue("ann");
  tokens.voidAll();
  assert.equal(tokens.caller(token), undefined);
});

test("F16, LIMIT simpleTokens: tokens are bounded in number: expired ones go first, then the one longest unused", () => {
  const it = new Kit(3);
  const [a, b, c] = [it.tokens.issue("ann"), it.tokens.issue("ann"), it.tokens.issue("ann")] as const;
  it.nowMs = 500;
  it.tokens.caller(a);
  it.tokens.caller(c);
  const d = it.tokens.issue("ann");
  assert.equal(it.tokens.size, 3);
  assert.deepEqual(
    [a, b, c, d].map((token) => it.tokens.caller(token) !== undefined),
    [true, false, true, true],
  );
  it.nowMs = 2_000;
  it.tokens.issue("ann");
  assert.equal(it.tokens.size, 1);
});

test("expired tokens do not pile up", () => {
  const it = new Kit(50_000);
  for (let i = 0; i < 20_000; i++) {
    it.nowMs += 10;
    it.tokens.issue("ann");
  }
  assert.ok(it.tokens.size <= 1_000, String(it.tokens.size));
});
