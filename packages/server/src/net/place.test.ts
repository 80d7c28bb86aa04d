import assert from "node:assert/strict";
import { test } from "node:test";
import { isThisMachine, placeOf } from "./place.js";

test("F25, F49: an IPv6 peer has a whole /64, an IPv4 one its address, in whichever form; a Unix socket has none", () => {
  const same: [string, string][] = [
    ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"],
    ["2001:db8::1", "2001:db8:0:0:9::"],
    ["fe80::1%eth0", "fe80::2"],
    ["10.0.0.1", "::ffff:10.0.0.1"],
  ];
  for (const [one, other] of same) assert.equal(placeOf(one), placeOf(other), `${one} ${other}`);
  assert.notEqual(placeOf("2001:db8:1:2::1"), placeOf("2001:db8:1:3::1"));
  assert.notEqual(placeOf("::ffff:10.0.0.1"), placeOf("::ffff:10.0.0.2"));
  assert.equal(placeOf(""), "");
});

test("F25: what programs on the same machine come from is told from all else", () => {
  for (const address of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) assert.equal(isThisMachine(address), true, address);
  for (const address of ["127.0.0.2", "::2", "::ffff:10.0.0.1", "10.0.0.1", "2001:db8::1", ""])
    assert.equal(isThisMachine(address), false, address);
});
