import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultServiceLimits } from "../limits.js";
import { type LoginLimits, LoginThrottle } from "./login-throttle.js";

const few: LoginLimits = {
  loginFailuresPerUser: 3,
  loginFailuresPerAddress: 5,
  loginBackoffMinMs: 100,
  loginBackoffMaxMs: 1_000,
  loginBackoffSharedMaxMs: 400,
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

test("LIMIT loginFailuresPerUser, F49: one failure more and the name has to wait at this address, another not", () => {
  const it = new Kit();
  it.fail(3);
  assert.equal(it.refusal(), undefined);
  it.fail(1);
  assert.equal(it.refusal(), "client");
  assert.equal(it.refusal("bob"), undefined);
});

test("LIMIT loginFailuresPerUser, F49: one failure more from anywhere, and the name has to wait everywhere", () => {
  for (const each of [1, 2]) {
    const it = new Kit();
    for (let i = 0; i < 3; i++) it.fail(each, "ann", `10.0.1.${i}`);
    assert.equal(it.refusal("ann", "10.0.2.1"), undefined);
    it.fail(each, "ann", "10.0.1.3");
    assert.equal(it.refusal("ann", each === 1 ? "10.0.2.1" : "10.0.1.1"), "user");
    assert.equal(it.refusal("bob", "10.0.2.1"), undefined);
  }
});

test("F49: who goes on failing, from a few addresses, keeps nobody out who has not failed", () => {
  const it = new Kit({ ...defaultServiceLimits });
  let refused = 0;
  for (let second = 0; second < 3_600; second++) {
    it.nowMs += 1_000;
    for (let guess = 0; guess < 20; guess++) {
      const address = `10.0.0.${guess % 5}`;
      if (it.refusal("ann", address) === undefined) it.fail(1, "ann", address);
    }
    if (it.refusal("ann", `10.1.${second % 200}.1`) !== undefined) refused++;
  }
  assert.equal(refused, 0);
});

test("LIMIT loginBackoffSharedMaxMs, F49: a name waits no longer for failures from all over, which get no more tries than that", () => {
  const it = new Kit({ ...defaultServiceLimits, loginsRemembered: 100_000 });
  let tries = 0;
  for (let n = 0; it.nowMs < 600_000; n++, it.nowMs += 50) {
    const address = `2001:db8:0:${n.toString(16)}::1`;
    if (it.refusal("ann", address) !== undefined) continue;
    it.fail(1, "ann", address);
    tries++;
  }
  assert.ok(tries < 620, String(tries));
  it.fail(1, "ann", "2001:db8:1::1");
  assert.equal(it.waitMs("ann", "2001:db8:2::1"), 1_000);
});

test("LIMIT loginBackoffSharedMaxMs, F49: who shares an address or a Unix socket with a guesser has to wait no longer", () => {
  for (const address of ["10.0.0.1", ""]) {
    const it = new Kit();
    it.grant("ann", address);
    it.fail(100, "ann", address);
    assert.equal(it.waitMs("ann", address), 400, `known at "${address}"`);
  }
  const it = new Kit();
  it.fail(100, "ann", "");
  assert.equal(it.waitMs("ann", ""), 400);
});

test("F49: a login that succeeds makes the waits of its name short again, and gives no tries away", () => {
  for (const each of [1, 2]) {
    const it = new Kit({ loginFailuresPerAddress: 1_000 });
    for (let i = 0; i < 20; i++) it.fail(each, "ann", `10.0.1.${i}`);
    const next = each === 1 ? "10.0.2.1" : "10.0.1.19";
    assert.equal(it.waitMs("ann", next), 400);
    it.grant("ann", "10.0.3.1");
    assert.equal(it.waitMs("ann", next), 400);
    it.nowMs += 400;
    it.fail(each === 1 ? 1 : 2, "ann", next);
    assert.equal(it.waitMs("ann", each === 1 ? "10.0.2.2" : next), each === 1 ? 100 : 200);
  }
});

test("F49: an operator can switch each of the waits off", () => {
  const off = [{ loginFailuresPerUser: 0, loginFailuresPerAddress: 0 }, { loginBackoffMaxMs: 0 }];
  for (const limits of off) {
    const it = new Kit(limits);
    it.fail(100);
    it.fail(100, "ann", "");
    for (let i = 0; i < 100; i++) it.fail(1, "ann", `10.0.1.${i}`);
    for (const address of ["10.0.0.1", "", "10.0.2.1"]) assert.equal(it.refusal("ann", address), undefined, address);
  }
  const it = new Kit({ loginFailuresPerUser: 0 });
  it.fail(6);
  assert.equal(it.refusal(), "address");
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
  assert.equal(it.refusal(), "client");
});

test("LIMIT loginsRemembered, F49: of names, addresses and users at an address no more are remembered; the oldest go", () => {
  const it = new Kit({ loginFailuresPerAddress: 1_000 });
  it.fail(4, "ann");
  for (let i = 0; i < 3; i++) it.fail(1, `user ${i}`);
  assert.equal(it.refusal("ann"), "client");
  it.fail(1, "one too many");
  assert.equal(it.refusal("ann"), undefined);
  for (let i = 0; i < 100; i++) {
    it.fail(2, "x".repeat(i), `10.0.0.${i}`);
    it.grant(`user ${i}`, "10.0.0.1");
  }
  assert.equal(it.throttle.remembered, 5 * few.loginsRemembered);
});

test("F49, F47: a name that nobody has waits like any other", () => {
  const it = new Kit();
  it.fail(4, "nobody of this name");
  assert.equal(it.refusal("nobody of this name"), "client");
});

test("F49: nobody is locked out by others: who has logged in is held against its own failures only", () => {
  const it = new Kit();
  it.grant("ann", "10.0.0.1");
  it.fail(100, "ann", "10.6.6.6");
  it.fail(100, "bob", "10.0.0.1");
  assert.equal(it.refusal("ann", "10.6.6.6"), "client");
  assert.equal(it.refusal("bob", "10.0.0.1"), "client");
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
