import assert from "node:assert/strict";
import { test } from "node:test";
import { AddressCounts } from "./address-counts.js";

/** How many of `addresses`, one connection each, are admitted. */
function admitted(counts: AddressCounts, addresses: readonly string[]): number {
  return addresses.filter((address) => counts.admit(address)).length;
}

function times(count: number, address: (n: number) => string): string[] {
  return Array.from({ length: count }, (_, n) => address(n));
}

test("F25: connections are counted for each address; those of Unix sockets are not", () => {
  const counts = new AddressCounts(2);
  assert.equal(admitted(counts, ["10.0.0.1", "10.0.0.1", "10.0.0.1"]), 2);
  assert.equal(counts.admit("10.0.0.2"), true);
  counts.release("10.0.0.1");
  assert.equal(admitted(counts, ["10.0.0.1", "10.0.0.1"]), 1);
  assert.equal(admitted(counts, ["", "", "", "", ""]), 5);
});

test("F25, LIMIT connectionsPerAddressMax: all addresses of one IPv6 /64 count as one, and IPv4 in IPv6 as IPv4", () => {
  const counts = new AddressCounts(10);
  assert.equal(
    admitted(
      counts,
      times(100, (n) => `2001:db8::${n.toString(16)}`),
    ),
    10,
  );
  assert.equal(counts.admit("2001:db8:0:1::1"), true);
  counts.release("2001:db8::ffff");
  assert.equal(admitted(counts, ["2001:db8::1", "2001:db8::2"]), 1);
  assert.equal(
    admitted(
      counts,
      times(20, (n) => (n % 2 === 0 ? "10.0.0.1" : "::ffff:10.0.0.1")),
    ),
    10,
  );
});

test("F25, LIMIT connectionsFromLoopbackMax: a proxy on the same machine has a bound of its own", () => {
  for (const address of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) {
    const counts = new AddressCounts(10, 50);
    assert.equal(
      admitted(
        counts,
        times(100, () => address),
      ),
      50,
      address,
    );
  }
  const counts = new AddressCounts(10, 50);
  assert.equal(
    admitted(
      counts,
      times(100, () => "127.0.0.2"),
    ),
    10,
  );
  assert.equal(
    admitted(
      new AddressCounts(10, 5),
      times(100, () => "127.0.0.1"),
    ),
    10,
    "it is never the smaller one",
  );
});
