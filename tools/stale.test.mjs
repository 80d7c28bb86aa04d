import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { plantWorkspace } from "./planted-workspace.mjs";
import { pruneStale, staleFiles } from "./stale.mjs";
import { display } from "./workspace.mjs";

test("built files without a source are removed; built and foreign files stay", (t) => {
  const top = plantWorkspace(t, {
    "packages/a/package.json": { name: "a" },
    "packages/a/src/deep/kept.ts": "",
    "packages/a/dist/deep/kept.js": "",
    "packages/a/dist/deep/kept.d.ts": "",
    "packages/a/dist/deep/gone.test.js": "",
    "packages/a/dist/deep/gone.test.js.map": "",
    "packages/a/dist/deep/gone.test.d.ts": "",
    "packages/a/dist/page/script.js": "put here by something other than the compiler",
  });
  const removed = pruneStale(top).map((path) => display(path, top));
  assert.deepEqual(removed.sort(), [
    "packages/a/dist/deep/gone.test.d.ts",
    "packages/a/dist/deep/gone.test.js",
    "packages/a/dist/deep/gone.test.js.map",
  ]);
  assert.deepEqual(staleFiles(top), []);
  assert.ok(existsSync(join(top, "packages/a/dist/deep/kept.js")));
  assert.ok(existsSync(join(top, "packages/a/dist/page/script.js")));
});
