import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEndpoint } from "./endpoint.js";
import { ClientOptionError } from "./errors.js";

function show(text: string): string {
  const endpoint = parseEndpoint(text);
  assert.equal(endpoint.text, text);
  const place = endpoint.kind === "tcp" ? `${endpoint.host} ${endpoint.port}` : endpoint.path;
  return `${endpoint.kind} ${place} ${endpoint.secure}`;
}

test("endpoints are read as etcd's clients write them", () => {
  assert.equal(show("127.0.0.1:2379"), "tcp 127.0.0.1 2379 if-set-up");
  assert.equal(show("http://etcd:2379"), "tcp etcd 2379 no");
  assert.equal(show("http://etcd:2379/"), "tcp etcd 2379 no");
  assert.equal(show("https://etcd.example.com:443"), "tcp etcd.example.com 443 yes");
  assert.equal(show("[::1]:2379"), "tcp ::1 2379 if-set-up");
  assert.equal(show("https://[fe80::1]:2379"), "tcp fe80::1 2379 yes");
  assert.equal(show("unix:/run/holdfast.sock"), "unix /run/holdfast.sock no");
  assert.equal(show("unix:///run/holdfast.sock"), "unix /run/holdfast.sock no");
  assert.equal(show("unixs:run/holdfast.sock"), "unix run/holdfast.sock yes");
});

test("what is no endpoint is refused, and named", () => {
  for (const text of [
    "",
    "etcd",
    "etcd:",
    ":2379",
    "etcd:0",
    "etcd:65536",
    "http:etcd:2379",
    "http://etcd",
    "http://etcd:2379/v3",
    "http://user@etcd:2379",
    "ftp://etcd:2379",
    "::1:2379",
    "unix:",
  ]) {
    assert.throws(() => parseEndpoint(text), ClientOptionError, text);
  }
  assert.throws(() => parseEndpoint("etcd"), /^ClientOptionError: invalid endpoint "etcd": want host:port/);
});
