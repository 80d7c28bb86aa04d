import assert from "node:assert/strict";
import { test } from "node:test";
import { runtimeWarning } from "./runtime-floor.js";

test("a Node.js without the security fixes a server needs is warned of, at start, by its version", () => {
  for (const old of ["20.20.2", "21.7.3", "22.0.0", "22.23.1", "23.11.0", "24.18.0", "25.9.9", "26.4.9", "26.5.0"]) {
    assert.match(
      runtimeWarning(old) ?? "",
      new RegExp(`^Node.js ${old} lacks .*22\\.23\\.2, 24\\.18\\.1, 26\\.5\\.1`),
      old,
    );
  }
  for (const good of ["22.23.2", "22.24.0", "24.18.1", "24.19.0", "26.5.1", "26.6.0", "27.0.0", "28.1.0-nightly2027"]) {
    assert.equal(runtimeWarning(good), undefined, good);
  }
});
