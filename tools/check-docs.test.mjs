import assert from "node:assert/strict";
import { test } from "node:test";
import { checkDocs } from "./check-docs.mjs";
import { plantWorkspace } from "./planted-workspace.mjs";

const required = { "README.md": "", "CHANGELOG.md": "", "CONTRIBUTING.md": "", LICENSE: "" };

/** Plants `files` besides the required ones and expects exactly these complaints. */
function expects(what, files, complaints) {
  test(what, (t) => {
    assert.deepEqual(checkDocs(plantWorkspace(t, { ...required, ...files })), complaints);
  });
}

test("refuses a repository without its documents", (t) => {
  assert.deepEqual(
    checkDocs(plantWorkspace(t, {})),
    Object.keys(required).map((name) => `${name}: is missing`),
  );
});

expects(
  "accepts links that lead somewhere, and what is no link to a file",
  { "README.md": "[a](docs/a.md#b) [c](https://example.org) [d](#e) `[f](g)`\n```\n[h](i)\n```\n", "docs/a.md": "" },
  [],
);

expects("refuses a link that leads nowhere", { "docs/a.md": "[b](../c.md)" }, [
  "docs/a.md: the link to ../c.md leads nowhere",
]);

expects(
  "refuses a decision record that is not listed",
  {
    "docs/decisions/README.md": "- [one](0001-one.md)",
    "docs/decisions/0001-one.md": "",
    "docs/decisions/0002-two.md": "",
  },
  ["docs/decisions/README.md: does not list 0002-two.md"],
);

expects(
  "refuses a registry host in a lock file",
  { "package-lock.json": { packages: { "node_modules/a": { resolved: "https://registry.example.org/a.tgz" } } } },
  ["package-lock.json: names a registry host (npm's omit-lockfile-registry-resolved leaves it out)"],
);

const forSystems = { optionalDependencies: { "a-system": "1.0.0", "another-system": "1.0.0" } };

expects(
  "refuses a lock file that lost the binary of another system",
  { "package-lock.json": { packages: { "node_modules/a": forSystems, "node_modules/a-system": {} } } },
  ["package-lock.json: lacks another-system, which node_modules/a may need elsewhere"],
);

expects(
  "accepts a lock file without hosts and with the binaries of all systems",
  {
    "package-lock.json": {
      packages: {
        "packages/b": {},
        "node_modules/b": { resolved: "packages/b", link: true },
        "node_modules/a": forSystems,
        "node_modules/a-system": {},
        "node_modules/a/node_modules/another-system": {},
      },
    },
  },
  [],
);
