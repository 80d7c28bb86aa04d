import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import { UndecidedConnections } from "./undecided.js";

test("F25, LIMIT undecidedConnectionsMax: one more, and the oldest of the address that has most of them goes", () => {
  const table = new UndecidedConnections(3);
  const [honest, first, second, third, fourth] = Array.from({ length: 5 }, () => new Socket()) as Socket[];
  assert.equal(table.add("honest", honest), undefined);
  assert.equal(table.add("flood", first), undefined);
  assert.equal(table.add("flood", second), undefined);
  assert.equal(table.add("flood", third), first);
  table.delete("flood", first);
  assert.equal(table.add("other", fourth), second);
});

test("F25: connections that are decided or gone make room", () => {
  const table = new UndecidedConnections(1);
  for (let round = 0; round < 3; round++) {
    const socket = new Socket();
    assert.equal(table.add("address", socket), undefined);
    table.delete("address", socket);
    table.delete("address", socket);
  }
});
