/**
 * Makes the bundle that `holdfast serve` starts from: one script of all its modules, and the code that V8 compiles of it.
 *
 * It is made for speed alone, so nothing else may depend on it: `packages/holdfast/src/load-bundle.ts` tells whether it is
 * of use, and without it the modules are loaded one by one.
 */

import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { crc32 } from "node:zlib";
import { link } from "./bundle/link.mjs";
import { readJson, root, runProgram } from "./workspace.mjs";

const folder = join(root, "packages", "holdfast", "dist");
/** What the compiler writes whenever it has built a package. */
const buildRecord = join("dist", ".tsbuildinfo");

/** Makes the bundle anew if something was built since. What keeps it from being made is told, and keeps nobody from going on. */
export async function ensureBundle() {
  try {
    const { bundleFiles } = await import(pathToFileURL(join(folder, "load-bundle.js")).href);
    if (isCurrent(join(folder, bundleFiles.manifest))) return;
    const { text, folders } = link(root, join(folder, "serve-command.js"));
    const builds = Object.fromEntries(folders.map(buildOf));
    const script = Buffer.from(asAscii(text), "latin1");
    publish(bundleFiles.script, script);
    const code = compiledCode(join(folder, bundleFiles.script), join(folder, bundleFiles.code));
    publish(bundleFiles.manifest, JSON.stringify({ script: crc32(script), code: crc32(code), builds }));
  } catch (error) {
    console.error(
      `The server will start more slowly, since its modules could not be put into one file: ${error.message}`,
    );
  }
}

/** Where the compiler has left its record of a package, as the bundle sees it, and when. */
function buildOf(packageFolder) {
  const path = join(packageFolder, buildRecord);
  return [relative(folder, path).split(sep).join("/"), statSync(path).mtimeMs];
}

function isCurrent(manifest) {
  if (!existsSync(manifest)) return false;
  const { builds } = readJson(manifest);
  return Object.entries(builds).every(([path, mtimeMs]) => {
    return statSync(join(folder, path), { throwIfNoEntry: false })?.mtimeMs === mtimeMs;
  });
}

/** V8 reads text of single bytes faster. Outside of strings, templates and expressions there is nothing but ASCII. */
function asAscii(text) {
  return text.replace(/[^\0-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Starts a server from the script twice, on an empty folder and on what it has left there, and keeps what was compiled. */
function compiledCode(script, file) {
  const { exitCode, output } = runProgram(
    process.execPath,
    [join(root, "tools", "bundle", "compile.mjs"), script, file],
    {
      quiet: true,
    },
  );
  if (exitCode !== 0) throw new Error(`a server that was started from it failed:\n${output}`);
  return readFileSync(file);
}

function publish(name, content) {
  const path = join(folder, name);
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}
