/**
 * A throw-away workspace for the tests of the checkers: write a few files, run the checker on them, look at its words.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/**
 * Creates a workspace from a map of paths to contents (objects become JSON), removed when the test ends.
 * @returns its folder.
 */
export function plantWorkspace(test, files) {
  const top = mkdtempSync(join(tmpdir(), "holdfast-tools-"));
  test.after(() => rmSync(top, { recursive: true, force: true }));
  const all = { "package.json": { name: "planted", workspaces: ["packages/*"] }, ...files };
  for (const [path, content] of Object.entries(all)) {
    mkdirSync(dirname(join(top, path)), { recursive: true });
    writeFileSync(join(top, path), typeof content === "string" ? content : JSON.stringify(content));
  }
  return top;
}
