import assert from "node:assert/strict";
import { test } from "node:test";
import { clientUrl, formatAddress, InvalidAddressError, isLocal, parseListenAddress } from "./address.js";

test("addresses are read as people and etcd's flags write them, and written back", () => {
  const cases: Array<[string, string]> = [
    ["127.0.0.1:2379", "127.0.0.1:2379"],
    ["localhost:0", "localhost:0"],
    [":2379", "0.0.0.0:2379"],
    ["[::1]:2379", "[::1]:2379"],
    ["http://10.0.0.1:2379", "10.0.0.1:2379"],
    ["http://10.0.0.1:2379/", "10.0.0.1:2379"],
    ["unix:/run/holdfast.sock", "unix:/run/holdfast.sock"],
    ["unix:///run/holdfast.sock", "unix:/run/holdfast.sock"],
  ];
  for (const [text, expected] of cases) assert.equal(formatAddress(parseListenAddress(text)), expected, text);
});

test("an address nobody can listen on is refused by name", () => {
  for (const text of ["", "2379", "host", "host:", "host:70000", "::1:2379", "a:b:1", "unix:", "https://x:1"]) {
    assert.throws(() => parseListenAddress(text), InvalidAddressError, text);
  }
});

test("local is what only this machine can reach", () => {
  for (const text of ["127.0.0.1:1", "localhost:1", "[::1]:1", "unix:/s"])
    assert.equal(isLocal(parseListenAddress(text)), true);
  for (const text of [":1", "0.0.0.0:1", "[::]:1", "10.0.0.1:1"])
    assert.equal(isLocal(parseListenAddress(text)), false);
});

test("a wildcard address is told to clients as the loopback one", () => {
  assert.equal(clientUrl(parseListenAddress(":2379")), "http://127.0.0.1:2379");
  assert.equal(clientUrl(parseListenAddress("[::]:2379")), "http://127.0.0.1:2379");
  assert.equal(clientUrl(parseListenAddress("[::1]:2379")), "http://[::1]:2379");
});
