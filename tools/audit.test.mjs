import assert from "node:assert/strict";
import { test } from "node:test";
import { lockProblems, productionPackages, readReport } from "./audit.mjs";

const good = { resolved: "https://registry.example/a/-/a-1.0.0.tgz", integrity: "sha512-x" };

test("only what is installed with the server counts: neither development tools nor what other workspaces need", () => {
  const packages = {
    "": { devDependencies: { tool: "1" } },
    "packages/server": { dependencies: { a: "1", "@ours/client": "1" }, devDependencies: { tool: "1" } },
    "packages/client": { dependencies: { c: "1" }, optionalDependencies: { absent: "1" } },
    "packages/simulator": { dependencies: { d: "1" } },
    conformance: { dependencies: { d: "1" } },
    "node_modules/@ours/client": { link: true, resolved: "packages/client" },
    "node_modules/a": { ...good, dependencies: { b: "1" } },
    "node_modules/a/node_modules/b": { ...good, dependencies: { a: "1" } },
    "node_modules/b": good,
    "packages/client/node_modules/c": good,
    "node_modules/c": good,
    "node_modules/d": good,
    "node_modules/tool": good,
  };
  assert.deepEqual([...productionPackages({ packages }).keys()].sort(), [
    "node_modules/a",
    "node_modules/a/node_modules/b",
    "packages/client/node_modules/c",
  ]);
});

test("a package without a digest, from elsewhere than https, or with a script at installation is a problem", () => {
  const packages = {
    "packages/server": { dependencies: { a: "1", b: "1", c: "1", d: "1", e: "1" } },
    "node_modules/a": good,
    "node_modules/b": { ...good, integrity: "sha1-x" },
    "node_modules/c": { ...good, resolved: "git+ssh://git@example.com/c.git" },
    "node_modules/d": { ...good, hasInstallScript: true },
    "node_modules/e": { integrity: good.integrity },
  };
  assert.deepEqual(lockProblems({ packages }).sort(), [
    "node_modules/b has no SHA-512 digest in the lock file",
    "node_modules/c does not come over https",
    "node_modules/d runs a script when it is installed",
  ]);
});

test("what is known is told from the severity on that was asked for, of production packages only", () => {
  const vulnerabilities = {
    a: {
      name: "a",
      severity: "high",
      via: [{ title: "Reads too much", url: "https://example.com/1" }, "b"],
      nodes: ["node_modules/a"],
    },
    b: {
      name: "b",
      severity: "low",
      via: [{ title: "Reads a bit", url: "https://example.com/2" }],
      nodes: ["node_modules/a/node_modules/b"],
    },
    tool: { name: "tool", severity: "critical", via: [], nodes: ["node_modules/tool"] },
  };
  const output = `npm warn something\n${JSON.stringify({ vulnerabilities })}\n`;
  const paths = new Map([
    ["node_modules/a", good],
    ["node_modules/a/node_modules/b", good],
  ]);
  assert.deepEqual(readReport(output, "moderate", paths), {
    vulnerable: ["a (high): Reads too much https://example.com/1; through b"],
  });
  assert.equal(readReport(output, "low", paths).vulnerable.length, 2);
  assert.deepEqual(readReport(JSON.stringify({ vulnerabilities: {} }), "low", paths), { vulnerable: [] });
});

test("a registry that cannot be asked is told from one that knows nothing bad", () => {
  const refused = JSON.stringify({ message: "405 Method Not Allowed", error: { summary: "" } });
  for (const [output, unavailable] of [
    [refused, "405 Method Not Allowed"],
    ["npm error network", "npm gave no report"],
    ["", "npm gave no report"],
  ]) {
    assert.deepEqual(readReport(output, "low", new Map()), { unavailable });
  }
});
