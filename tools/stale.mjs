/**
 * Finds and removes built files whose TypeScript source was deleted or renamed.
 *
 * The compiler never deletes what an older source produced, so a deleted test would go on running, and passing.
 */

import { existsSync, readdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { root, workspaceFolders } from "./workspace.mjs";

const builtSuffix = /\.(d\.ts|d\.ts\.map|js\.map|js)$/;

/** Built files without a source, in every package. */
export function staleFiles(top = root) {
  return workspaceFolders(top).flatMap((folder) => staleIn(join(folder, "dist"), join(folder, "src")));
}

/** Deletes the stale files and returns their paths. */
export function pruneStale(top = root) {
  const stale = staleFiles(top);
  for (const path of stale) rmSync(path, { force: true });
  return stale;
}

function staleIn(dist, source) {
  if (!existsSync(dist)) return [];
  const built = builtFilesUnder(dist);
  const known = new Set(built);
  return built.filter((path) => {
    const stem = path.replace(builtSuffix, "");
    // Only the compiler writes declarations: a file without one was put there by something else, and stays.
    if (!known.has(`${stem}.d.ts`)) return false;
    const origin = join(source, relative(dist, stem));
    return !existsSync(`${origin}.ts`) && !existsSync(`${origin}.tsx`);
  });
}

function builtFilesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return builtFilesUnder(path);
    return builtSuffix.test(entry.name) ? [path] : [];
  });
}
