import assert from "node:assert/strict";
import { test } from "node:test";
import { whyInstall } from "./bootstrap.mjs";
import { plantWorkspace } from "./planted-workspace.mjs";

const manifest = { name: "planted", workspaces: ["packages/*"], devDependencies: { one: "1.0.0" } };
const elsewhere = { version: "1.0.0", optional: true, os: ["another-system"] };
const one = { version: "1.0.0", integrity: "sha512-x" };

/** Asks about a workspace with the given lock file entries, install record and manifest. */
function ask(t, { locked = { one }, installed = { one }, now = manifest }) {
  const under = (entries) =>
    Object.fromEntries(Object.entries(entries).map(([name, entry]) => [`node_modules/${name}`, entry]));
  return whyInstall(
    plantWorkspace(t, {
      "package.json": now,
      "package-lock.json": { packages: { "": manifest, ...under(locked) } },
      ...(installed !== null && { "node_modules/.package-lock.json": { packages: under(installed) } }),
    }),
  );
}

test("nothing to install when npm's record matches the lock file", (t) => {
  assert.equal(ask(t, {}), undefined);
});

test("an install is needed when there is no record", (t) => {
  assert.equal(ask(t, { installed: null }), "nothing installed yet");
});

test("an install is needed when a package is missing or of another version", (t) => {
  assert.equal(ask(t, { installed: {} }), "one is missing or outdated");
  assert.equal(ask(t, { installed: { one: { ...one, version: "0.9.0" } } }), "one is missing or outdated");
});

test("a package for another system is not missed", (t) => {
  assert.equal(ask(t, { locked: { one, elsewhere } }), undefined);
});

test("an install is needed when a manifest asks for something else than the lock file", (t) => {
  assert.equal(ask(t, { now: { ...manifest, devDependencies: { one: "2.0.0" } } }), "package.json changed");
});
