/**
 * `npm run audit`: whether the packages that a running server loads are what they were when they were chosen, and whether
 * anything bad is known of them. Development tools are left out: they never run beside anybody's data.
 *
 *   npm run audit                            known vulnerabilities from "moderate" on fail
 *   npm run audit -- --severity high         only from there on
 *
 * Two checks. The lock file must name a digest for each package and none may run a script when it is installed; that needs
 * nothing but the file. What is known of them only the registry can say: where it does not (no network, a mirror without
 * that service), this says `skipped: …`, since an audit that could not be made must not look like one that found nothing.
 *
 * Ends with `N passed, N failed`, and `, N skipped` if that is so; results go to .results/audit.json.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { fail, readJson, root, runNpm, takeOption } from "./workspace.mjs";

const severities = ["info", "low", "moderate", "high", "critical"];

/** Folders of what is published; the other workspaces are for those who develop it. */
const published = /^packages\/(?!simulator$)[^/]+$/;

/**
 * The packages of a lock file that are installed with what is published: all that its packages depend on, however deep.
 * Returns their entries by path.
 */
export function productionPackages({ packages }) {
  const found = new Map();
  const pending = Object.keys(packages).filter((path) => published.test(path));
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const { dependencies = {}, optionalDependencies = {} } = packages[path];
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const at = installedAt(packages, path, name);
      if (at === undefined || found.has(at) || packages[at].link) continue;
      found.set(at, packages[at]);
      pending.push(at);
    }
  }
  return found;
}

/** Where Node.js finds `name` for a package at `path`: in the nearest node_modules folder; undefined for an optional one. */
function installedAt(packages, path, name) {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/")))) {
    const candidate = `${folder === "" ? "" : `${folder}/`}node_modules/${name}`;
    if (packages[candidate] !== undefined) return candidate;
    if (folder === "") return undefined;
  }
}

/** What is wrong with how the lock file has them, as lines. */
export function lockProblems(lock) {
  return [...productionPackages(lock)].flatMap(([path, { integrity = "", hasInstallScript = false, resolved }]) => [
    ...(integrity.startsWith("sha512-") ? [] : [`${path} has no SHA-512 digest in the lock file`]),
    ...(resolved === undefined || resolved.startsWith("https://") ? [] : [`${path} does not come over https`]),
    ...(hasInstallScript ? [`${path} runs a script when it is installed`] : []),
  ]);
}

/**
 * What npm's report says: `vulnerable`, one line for each package at one of `paths` with something known from `severity` on;
 * or `unavailable`, why there is no report.
 */
export function readReport(output, severity, paths) {
  const report = parseReport(output);
  if (report === undefined) return { unavailable: "npm gave no report" };
  if (report.vulnerabilities === undefined) {
    return { unavailable: report.message ?? report.error?.summary ?? "npm gave no report" };
  }
  const from = severities.indexOf(severity);
  const vulnerable = Object.values(report.vulnerabilities)
    .filter(({ severity: worst, nodes }) => severities.indexOf(worst) >= from && nodes.some((node) => paths.has(node)))
    .map(({ name, severity: worst, via }) => `${name} (${worst}): ${via.map(titleOf).join("; ")}`);
  return { vulnerable };
}

function titleOf(via) {
  return typeof via === "string" ? `through ${via}` : `${via.title} ${via.url}`;
}

/** The JSON in what npm printed, which may have warnings around it. */
function parseReport(output) {
  try {
    return JSON.parse(output.slice(output.indexOf("{"), output.lastIndexOf("}") + 1));
  } catch {
    return undefined;
  }
}

function main(args) {
  const severity = takeOption(args, "--severity") ?? "moderate";
  if (!severities.includes(severity)) fail(`Unknown severity ${severity}: want one of ${severities.join(", ")}.`);
  const lock = readJson(join(root, "package-lock.json"));
  const packages = productionPackages(lock);
  const results = [
    ofProblems(`the lock file has a digest for each of ${packages.size} production packages`, lockProblems(lock)),
  ];
  const asked = runNpm(["audit", "--omit=dev", "--json", "--loglevel=silent"], { quiet: true });
  const { vulnerable, unavailable } = readReport(asked.output, severity, packages);
  const title = `nothing from "${severity}" on is known of ${packages.size} production packages`;
  if (unavailable === undefined) results.push(ofProblems(title, vulnerable));
  else results.push({ title, result: "skipped", reason: `the registry could not be asked: ${unavailable}` });
  report(results);
}

function ofProblems(title, problems) {
  return problems.length === 0 ? { title, result: "passed" } : { title, result: "failed", reason: problems.join("; ") };
}

function report(results) {
  const words = { passed: "ok", failed: "FAILED", skipped: "skipped" };
  for (const { title, result, reason } of results) {
    console.log(`${words[result]} ${title}${reason === undefined ? "" : `: ${reason}`}`);
  }
  const counted = (result) => results.filter((one) => one.result === result).length;
  mkdirSync(join(root, ".results"), { recursive: true });
  const file = "tools/audit.mjs";
  const written = { suite: "audit", results: results.map((one) => ({ file, ...one })) };
  writeFileSync(join(root, ".results", "audit.json"), `${JSON.stringify(written, null, 2)}\n`);
  const skipped = counted("skipped");
  console.log(`${counted("passed")} passed, ${counted("failed")} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`);
  process.exitCode = counted("failed") === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main(process.argv.slice(2));
