import assert from "node:assert/strict";
import { test } from "node:test";
import {
  checkAdvertisedUrl,
  clientUrl,
  endpointOf,
  formatAddress,
  InvalidAddressError,
  isLocal,
  parseListenAddress,
} from "./address.js";

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
    ["https://10.0.0.1:2379", "10.0.0.1:2379"],
    ["https://[::1]:2379/", "[::1]:2379"],
    ["unixs:/run/holdfast.sock", "unixs:/run/holdfast.sock"],
    ["unixs:///run/holdfast.sock", "unixs:/run/holdfast.sock"],
  ];
  for (const [text, expected] of cases) assert.equal(formatAddress(parseListenAddress(text)), expected, text);
});

test("an address nobody can listen on is refused by name", () => {
  for (const text of [
    "",
    "2379",
    "host",
    "host:",
    "host:70000",
    "::1:2379",
    "a:b:1",
    "unix:",
    "unixs://",
    "http:x:1",
    "ftp://x:1",
    "http://x",
    "https://x:1/path",
  ]) {
    assert.throws(() => parseListenAddress(text), InvalidAddressError, text);
  }
});

test("a port that is too large is called that", () => {
  for (const text of ["127.0.0.1:99999", "http://[::1]:65536", ":123456789"]) {
    assert.throws(() => parseListenAddress(text), /port \d+ is too large, a port is from 0 to 65535$/, text);
  }
});

test("local is what only this machine can reach", () => {
  const localHosts = ["127.0.0.1", "127.8.9.10", "localhost", "LocalHost", "[::1]", "[0:0::1]", "[::ffff:127.0.0.1]"];
  for (const text of [...localHosts.map((host) => `${host}:1`), "unix:/s"])
    assert.equal(isLocal(parseListenAddress(text)), true, text);
  const others = ["", "0.0.0.0", "[::]", "10.0.0.1", "[::ffff:10.0.0.1]", "127.example.com", "localhost.example.com"];
  for (const host of others) assert.equal(isLocal(parseListenAddress(`${host}:1`)), false, host);
});

test("a wildcard address is told to clients as the loopback one", () => {
  assert.equal(clientUrl(parseListenAddress(":2379")), "http://127.0.0.1:2379");
  assert.equal(clientUrl(parseListenAddress("[::]:2379")), "http://127.0.0.1:2379");
  assert.equal(clientUrl(parseListenAddress("[::1]:2379")), "http://[::1]:2379");
});

test("https and unixs are the addresses that speak TLS", () => {
  for (const text of ["https://a:1", "unixs:/s"]) assert.equal(parseListenAddress(text).secure, true, text);
  for (const text of ["http://a:1", "a:1", "unix:/s"]) assert.equal(parseListenAddress(text).secure, false, text);
});

test("clients are told a URL that says whether to speak TLS", () => {
  const cases: Array<[string, string, string]> = [
    ["https://:2379", "https://127.0.0.1:2379", "https://0.0.0.0:2379"],
    ["a:1", "http://a:1", "a:1"],
    ["unix:/s", "unix:///s", "unix:/s"],
    ["unixs:/s", "unixs:///s", "unixs:/s"],
  ];
  for (const [text, url, endpoint] of cases) {
    assert.equal(clientUrl(parseListenAddress(text)), url, text);
    assert.equal(endpointOf(parseListenAddress(text)), endpoint, text);
  }
});

test("a Unix socket's path that the system would cut is refused, counted in bytes", () => {
  parseListenAddress(`unix:/${"a".repeat(106)}`);
  for (const path of [`/${"a".repeat(107)}`, `/${"ü".repeat(54)}`]) {
    assert.throws(() => parseListenAddress(`unix:${path}`), /the path has 10[89] bytes/);
  }
});

test("what clients are to be told must be a URL with a host", () => {
  for (const url of ["http://a:1", "https://[::1]:1", "unix:///s", "unixs:///s"]) checkAdvertisedUrl(url);
  for (const url of ["a:1", "ftp://a:1", "https://a", "https://:1", "https://a:1/x", "unix://"]) {
    assert.throws(() => checkAdvertisedUrl(url), InvalidAddressError, url);
  }
});
