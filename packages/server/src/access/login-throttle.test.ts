import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultServiceLimits } from "../limits.js";
import { type LoginLimits, LoginThrottle } from "./login-throttle.js";

const few: LoginLimits = {
  loginFailuresPerUser: 3,
  loginFailuresPerAddress: 5,
  loginBackoffMinMs: 100,
  loginBackoffMaxMs: 1_000,
  loginFailuresForgottenMs: 10_000,
  loginsRemembered: 4,
};

/** A throttle with time by hand. */
class Kit {
  nowMs = 0;
  readonly throttle: LoginThrottle;

  constructor(changes: Partial<LoginLimits> = {}) {
    this.throttle = new LoginThrottle({ ...few, ...changes }, () => this.nowMs);
  }

  fail(times: number, userName = "ann", address = "10.0.0.1"): void {
    for (let i = 0; i < times; i++) this.throttle.failed(this.throttle.attempt(userName, address));
  }

  refusal(userName = "ann", address = "10.0.0.1"): string | undefined {
    return this.throttle.refusal(this.throttle.attempt(userName, address));
  }

  grant(userName = "ann", address = "10.0.0.1"): void {
    this.throttle.granted(this.throttle.attempt(userName, address));
  }

  /** How long a login has to wait now. */
  waitMs(userName = "ann", address = "10.0.0.1"): number {
    const since = this.nowMs;
    while (this.refusal(userName, address) !== undefined) this.nowMs += 50;
    const waited = this.nowMs - since;
    this.nowMs = since;
    return waited;
  }
}

test("LIMIT loginFailuresPerUser, F49: one failure more and the name has to wait, wherever the next try comes from", () => {
  const it = new Kit();
  it.fail(3);
  assert.equal(it.refusal(), undefined);
  it.fail(1);
  assert.equal(it.refusal(), "user");
  assert.equal(it.refusal("ann", "10.9.9.9"), "user");
  assert.equal(it.refusal("bob"), undefined);
});

test("LIMIT loginFailuresPerAddress, F49: one failure more, with whatever names, and the address has to wait", () => {
  const it = new Kit();
  for (let i = 0; i < 6; i++) it.fail(1, `user ${i}`);
  assert.equal(it.refusal("another"), "address");
  assert.equal(it.refusal("another", "10.0.0.2"), undefined);
});

test("LIMIT loginBackoffMinMs, LIMIT loginBackoffMaxMs, F49: the wait begins at the one, doubles, and ends at the other", () => {
  const it = new Kit({ loginFailuresPerAddress: 1_000 });
  it.fail(3);
  const waits = Array.from({ length: 6 }, () => {
    it.fail(1);
    return it.waitMs();
  });
  assert.deepEqual(waits, [100, 200, 400, 800, 1_000, 1_000]);
  it.fail(500);
  assert.equal(it.waitMs(), 1_000);
});

test("LIMIT loginFailuresForgottenMs, F49: failures are forgotten after a time without one", () => {
  const it = new Kit();
  it.fail(4);
  it.nowMs = 10_001;
  it.fail(3);
  assert.equal(it.refusal(), undefined);
  it.fail(1);
  assert.equal(it.refusal(), "user");
});

test("LIMIT loginsRemembered, F49: of names, addresses and known clients no more are remembered; the oldest go", () => {
  const it = new Kit({ loginFailuresPerAddress: 1_000 });
  it.fail(4, "ann");
  for (let i = 0; i < 3; i++) it.fail(1, `user ${i}`);
  assert.equal(it.refusal("ann"), "user");
  it.fail(1, "one too many");
  assert.equal(it.refusal("ann"), undefined);
  for (let i = 0; i < 100; i++) {
    it.fail(1, "x".repeat(i), `10.0.0.${i}`);
    it.grant(`user ${i}`, "10.0.0.1");
  }
  assert.equal(it.throttle.remembered, 3 * few.loginsRemembered);
});

test("F49, F47: a name that nobody has waits like any other", () => {
  const it = new Kit();
  it.fail(4, "nobody of this name");
  assert.equal(it.refusal("nobody of this name"), "user");
});

test("F49: nobody is locked out by others: who has logged in is held against its own failures only", () => {
  const it = new Kit();
  it.grant("ann", "10.0.0.1");
  it.fail(100, "ann", "10.6.6.6");
  it.fail(100, "bob", "10.0.0.1");
  assert.equal(it.refusal("ann", "10.6.6.6"), "user");
  assert.equal(it.refusal("bob", "10.0.0.1"), "user");
  assert.equal(it.refusal("ann", "10.0.0.1"), undefined);
  it.fail(4, "ann", "10.0.0.1");
  assert.equal(it.refusal("ann", "10.0.0.1"), "client");
  it.nowMs += 100;
  it.grant("ann", "10.0.0.1");
  it.fail(3, "ann", "10.0.0.1");
  assert.equal(it.refusal("ann", "10.0.0.1"), undefined);
});

test("F49: a right password does not wipe out what was guessed at from the same address", () => {
  const it = new Kit();
  for (let i = 0; i < 6; i++) {
    it.fail(1, `user ${i}`);
    it.grant("mallory", "10.0.0.1");
  }
  assert.equal(it.refusal("user 7"), "address");
});

test("F49: an IPv6 peer has a whole /64, an IPv4 one its address, in whichever form; a Unix socket has none", () => {
  const same: [string, string][] = [
    ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"],
    ["2001:db8::1", "2001:db8:0:0:9::"],
    ["::1", "::2"],
    ["fe80::1%eth0", "fe80::2"],
    ["10.0.0.1", "::ffff:10.0.0.1"],
  ];
  for (const [one, other] of same) {
    const it = new Kit({ loginFailuresPerUser: 100 });
    it.fail(6, "ann", one);
    assert.equal(it.refusal("bob", other), "address", `${one} ${other}`);
  }
  for (const [one, other] of [
    ["2001:db8:1:2::1", "2001:db8:1:3::1"],
    ["::ffff:10.0.0.1", "::ffff:10.0.0.2"],
    ["", ""],
  ] as const) {
    const it = new Kit({ loginFailuresPerUser: 100 });
    it.fail(6, "ann", one);
    assert.equal(it.refusal("bob", other), undefined, `${one} ${other}`);
  }
});

test("F49: the defaults let people mistype and clients start together, and leave a guesser some three thousand tries a day", () => {
  const it = new Kit({ ...defaultServiceLimits });
  it.fail(10);
  assert.equal(it.refusal(), undefined);
  let tries = 0;
  for (; it.nowMs < 24 * 3_600_000; it.nowMs += 250) {
    if (it.refusal() !== undefined) continue;
    it.fail(1);
    tries++;
  }
  assert.ok(tries < 3_000, String(tries));
});

test("F49: what is refused is counted by its reason", () => {
  const { throttle } = new Kit();
  for (const why of ["user", "address", "client", undefined] as const) throttle.refused(why);
  throttle.refused(undefined);
  const { refusedUser, refusedAddress, refusedClient, refusedBusy } = throttle.counters;
  assert.deepEqual([refusedUser, refusedAddress, refusedClient, refusedBusy], [1, 1, 1, 2]);
});
