/**
 * Checks the documents and lock files: what the repository must contain, that links between documents lead somewhere,
 * that every decision record is listed, and that lock files work for everybody.
 */

import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { display, filesUnder, readJson, root } from "./workspace.mjs";

const requiredFiles = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"];

/** Returns one line per violation. */
export function checkDocs(top = root) {
  const files = filesUnder(top);
  return [
    ...requiredFiles.filter((name) => !existsSync(join(top, name))).map((name) => `${name}: is missing`),
    ...files.filter((path) => path.endsWith(".md")).flatMap((path) => checkLinks(top, path)),
    ...checkDecisions(top),
    ...files.filter((path) => basename(path) === "package-lock.json").flatMap((path) => checkLockFile(top, path)),
  ];
}

/** Every relative link of a Markdown file leads to a file or folder. Code blocks are not looked at. */
function checkLinks(top, path) {
  const text = readFileSync(path, "utf8")
    .replace(/^```[\s\S]*?^```/gm, "")
    .replace(/`[^`\n]*`/g, "");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1])
    .filter((target) => !/^([a-z]+:|#)/.test(target))
    .filter((target) => !existsSync(join(dirname(path), decodeURI(target.split("#")[0]))))
    .map((target) => `${display(path, top)}: the link to ${target} leads nowhere`);
}

/** Every decision record is named in the list beside it. */
function checkDecisions(top) {
  const folder = join(top, "docs", "decisions");
  const list = join(folder, "README.md");
  if (!existsSync(list)) return [];
  const text = readFileSync(list, "utf8");
  return filesUnder(folder)
    .filter((path) => path.endsWith(".md") && path !== list)
    .filter((path) => !text.includes(basename(path)))
    .map((path) => `docs/decisions/README.md: does not list ${basename(path)}`);
}

/**
 * A lock file with hosts in it installs from those hosts only; npm leaves them out when asked to (see .npmrc). One that
 * lacks an optional dependency (the binary for another platform, lost on the machine that wrote it) is refused by
 * `npm ci` everywhere.
 */
function checkLockFile(top, path) {
  const { packages } = readJson(path);
  const problems = Object.values(packages).some(({ resolved }) => /^https?:/.test(resolved ?? ""))
    ? ["names a registry host (npm's omit-lockfile-registry-resolved leaves it out)"]
    : [];
  const present = new Set(Object.keys(packages).map((key) => key.slice(key.lastIndexOf("node_modules/"))));
  for (const [key, { optionalDependencies = {} }] of Object.entries(packages)) {
    for (const name of Object.keys(optionalDependencies)) {
      if (!present.has(`node_modules/${name}`)) problems.push(`lacks ${name}, which ${key} may need elsewhere`);
    }
  }
  return problems.map((problem) => `${display(path, top)}: ${problem}`);
}
