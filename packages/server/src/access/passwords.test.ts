import assert from "node:assert/strict";
import { test } from "node:test";
import { passwordCostMin, scryptMemoryBytes, scryptParameters } from "./password-hash.js";
import { Passwords, TooManyPasswordsError, UnwantedError } from "./passwords.js";

const limits = {
  passwordHashesAtOnce: 2,
  passwordHashesWaiting: 3,
  passwordHashBytes: 1 << 28,
  passwordHashWork: 2 ** 22,
};
const wanted = (): boolean => true;

function cheap(changes: Partial<typeof limits> = {}): Passwords {
  return new Passwords(passwordCostMin, { ...limits, ...changes });
}

test("AUTH-7: only the right password matches", async () => {
  const passwords = cheap();
  const hash = await passwords.hash("secret", wanted);
  assert.equal(await passwords.matches("secret", hash, wanted), true);
  for (const wrong of ["", "Secret", "secret ", "secre"])
    assert.equal(await passwords.matches(wrong, hash, wanted), false);
});

test("AUTH-14: the empty password is one, and beyond 72 bytes every byte counts", async () => {
  const passwords = cheap();
  assert.equal(await passwords.matches("", await passwords.hash("", wanted), wanted), true);
  const long = "p".repeat(100);
  const hash = await passwords.hash(long, wanted);
  assert.equal(await passwords.matches(long, hash, wanted), true);
  assert.equal(await passwords.matches(`${long.slice(1)}q`, hash, wanted), false);
});

test("two hashes of one password have nothing in common", async () => {
  const passwords = cheap();
  const [a, b] = [await passwords.hash("same", wanted), await passwords.hash("same", wanted)];
  const parts = (text: string): string[] => text.split("$").slice(3);
  assert.equal(parts(a).length, 2);
  for (const part of parts(a)) assert.ok(!parts(b).includes(part));
});

test("a hash made at another cost is still checked", async () => {
  const hash = await new Passwords(passwordCostMin + 2, limits).hash("secret", wanted);
  assert.equal(await cheap().matches("secret", hash, wanted), true);
});

test("no hash, or one of another making, matches nothing", async () => {
  const passwords = cheap();
  for (const hash of [undefined, "", "$2a$10$bcrypt"]) assert.equal(await passwords.matches("", hash, wanted), false);
});

test("no hash costs the same work as a hash", async () => {
  const passwords = cheap({ passwordHashesAtOnce: 1, passwordHashesWaiting: 0 });
  await assert.rejects(passwords.matches("x", undefined, wanted), TooManyPasswordsError);
  const known = cheap();
  const unknown = known.matches("x", undefined, wanted);
  assert.equal(known.underWay, 1);
  assert.equal(await unknown, false);
});

test("LIMIT passwordHashesAtOnce, F49: two are hashed at once, some wait, and more are refused", async () => {
  const passwords = cheap();
  const accepted = Array.from({ length: 5 }, () => passwords.hash("x", wanted));
  assert.equal(passwords.underWay, 5);
  await assert.rejects(passwords.hash("x", wanted), TooManyPasswordsError);
  assert.equal((await Promise.all(accepted)).length, 5);
  assert.equal(passwords.underWay, 0);
  await passwords.hash("x", wanted);
});

test("a password that nobody waits for any more is not hashed, and makes room", async () => {
  const passwords = cheap({ passwordHashesAtOnce: 1 });
  const running = passwords.hash("x", wanted);
  let cancelled = false;
  const waiting = Array.from({ length: 3 }, () => passwords.hash("x", () => !cancelled));
  const dropped = Promise.all(waiting.map((hash) => assert.rejects(hash, UnwantedError)));
  cancelled = true;
  const later = passwords.hash("x", wanted);
  await dropped;
  await Promise.all([running, later]);
});

test("F49, LIMIT passwordHashBytes: a cost that needs more memory than allowed is refused at once", () => {
  const passwordHashBytes = scryptMemoryBytes(scryptParameters(10)) - 1;
  assert.throws(() => new Passwords(10, { ...limits, passwordHashBytes }), RangeError);
  assert.equal(
    cheap({ passwordHashBytes }).parse(`$scrypt$ln=15,r=8,p=1$${"A".repeat(22)}$${"B".repeat(43)}`),
    undefined,
  );
});

test("F49, LIMIT passwordHashWork: a hash that would take longer than allowed is none, in whichever of its parameters the work is", async () => {
  const hashOf = (parameters: string): string => `$scrypt$${parameters}$${"A".repeat(22)}$${"B".repeat(43)}`;
  const passwords = cheap();
  for (const parameters of ["ln=17,r=8,p=4", "ln=4,r=8,p=32768", "ln=12,r=256,p=4"])
    assert.notEqual(passwords.parse(hashOf(parameters)), undefined, parameters);
  for (const parameters of ["ln=17,r=8,p=5", "ln=4,r=8,p=32769", "ln=12,r=257,p=4", "ln=14,r=8,p=100000"])
    assert.equal(passwords.parse(hashOf(parameters)), undefined, parameters);
  assert.equal(await passwords.matches("x", hashOf("ln=14,r=8,p=999999"), wanted), false);
});

test("the work of the hashes made here is always allowed", async () => {
  const passwords = cheap({ passwordHashWork: 1 });
  const hash = await passwords.hash("secret", wanted);
  assert.equal(await passwords.matches("secret", hash, wanted), true);
  const costlier = await new Passwords(passwordCostMin + 1, limits).hash("secret", wanted);
  assert.equal(await passwords.matches("secret", costlier, wanted), false);
});

test("F49: who is preferred goes before the others, and takes the place of the last of them where there is none left", async () => {
  const passwords = cheap({ passwordHashesAtOnce: 1 });
  const ended: string[] = [];
  const ask = (name: string, isPreferred: boolean): Promise<unknown> =>
    passwords.matches(name, undefined, wanted, isPreferred).then(
      () => ended.push(name),
      (error: Error) => ended.push(`${name}: ${error.name}`),
    );
  const asked = [ask("running", false), ask("a", false), ask("b", false), ask("c", false)];
  asked.push(ask("known 1", true), ask("known 2", true), ask("d", false));
  await Promise.all(asked);
  assert.deepEqual(ended.slice(0, 3).sort(), [
    "b: TooManyPasswordsError",
    "c: TooManyPasswordsError",
    "d: TooManyPasswordsError",
  ]);
  assert.deepEqual(ended.slice(3), ["running", "known 1", "known 2", "a"]);
  const full = cheap({ passwordHashesAtOnce: 1, passwordHashesWaiting: 1 });
  const preferred = [1, 2].map(() => full.matches("x", undefined, wanted, true));
  await assert.rejects(full.matches("x", undefined, wanted, true), TooManyPasswordsError);
  await Promise.all(preferred);
});
