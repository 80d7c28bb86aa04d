// The command: runs the scripts and the random scripts, prints what became of them, and keeps docs/conformance.md.
//
// The last line is `N passed, N failed`; the exit code is 1 when anything failed, 2 when the arguments are wrong.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { missingTool } from "../tools.js";
import { allScripts } from "./all-scripts.js";
import { randomRules, runRandom } from "./random/run.js";
import { conformanceTable } from "./report.js";
import { divergenceRows, statedRules, tablePath, testsOfRules } from "./rules.js";
import { type Result, runScript } from "./runner.js";
import type { Script } from "./script.js";

const help = `Usage: npm run differential -- [options]

  --only TEXT[,TEXT]  only scripts with such a rule number (KV-5, or KV- for all of them) or title
  --no-random         leaves the random scripts out
  --random            runs nothing but the random scripts
  --runs N            how many random scripts for each seed, instead of as many as the time allows
  --seconds N         how long the random scripts may take together (60)
  --seed N            one seed, instead of the fixed ones; "new" draws one
  --jobs N            how many scripts run at once (4)
  --write             writes docs/conformance.md, instead of failing when it is out of date`;

/** What the command was asked to do. */
interface Settings {
  readonly only: readonly string[];
  readonly scripts: boolean;
  readonly random: boolean;
  readonly runs: number | undefined;
  readonly seconds: number;
  readonly seed: string | undefined;
  readonly jobs: number;
  readonly write: boolean;
}

function settingsOf(args: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      "no-random": { type: "boolean", default: false },
      random: { type: "boolean", default: false },
      runs: { type: "string" },
      seconds: { type: "string", default: "60" },
      seed: { type: "string" },
      jobs: { type: "string", default: "4" },
      write: { type: "boolean", default: false },
    },
  });
  const only = values.only?.split(",") ?? [];
  return {
    only,
    scripts: !values.random,
    random: !values["no-random"] && (values.random || only.length === 0),
    runs: values.runs === undefined ? undefined : Number(values.runs),
    seconds: Number(values.seconds),
    seed: values.seed,
    jobs: Number(values.jobs),
    write: values.write,
  };
}

function isChosen({ rules, title }: Script, only: readonly string[]): boolean {
  const fits = (rule: string, wanted: string): boolean =>
    rule === wanted || (wanted.endsWith("-") && rule.startsWith(wanted));
  return only.length === 0 || only.some((wanted) => title === wanted || rules.some((rule) => fits(rule, wanted)));
}

/** Runs scripts several at a time, printing each result as it comes; returns them in the order of the scripts. */
async function runAll(scripts: readonly Script[], jobs: number): Promise<readonly Result[]> {
  const rows = divergenceRows();
  const results: Result[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < scripts.length; index = next++) {
      results[index] = await runSteadily(scripts[index] as Script, rows);
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return results;
}

/** How often a script is run at most, as long as it is etcd that does not do what the script demands. */
const attemptsMax = 3;

/**
 * Runs a script, and again where etcd itself failed it: on a busy machine etcd may crash, or be late with what it does in
 * the background, and nothing is then known of Holdfast. What Holdfast does differently is never tried again.
 */
async function runSteadily(script: Script, rows: ReadonlySet<string>): Promise<Result> {
  let result = await runScript(script, rows);
  print(result);
  for (let attempt = 2; result.outcome === "broken" && attempt <= attemptsMax; attempt += 1) {
    console.log(`again     attempt ${attempt} of ${attemptsMax}, since it was not Holdfast that failed`);
    result = await runScript(script, rows);
    print(result);
  }
  return result;
}

const marks: Readonly<Record<Result["outcome"], string>> = {
  same: "same     ",
  explained: "explained",
  differs: "DIFFERS  ",
  broken: "BROKEN   ",
};

/** How many differences of one script are shown; the first one usually explains the rest. */
const complaintsMax = 12;

function print({ script, outcome, complaints }: Result): void {
  console.log(`${marks[outcome]} ${script.rules.join(", ")}: ${script.title}`);
  for (const complaint of complaints.slice(0, complaintsMax)) {
    console.log(`            ${complaint.replaceAll("\n", " ↵ ")}`);
  }
  if (complaints.length > complaintsMax) {
    console.log(`            … and ${complaints.length - complaintsMax} more`);
  }
}

/** Rules that scripts name and the reference does not have: typing errors. */
function unknownRules(scripts: readonly Script[], stated: readonly string[]): readonly string[] {
  const known = new Set(stated);
  return [...new Set(scripts.flatMap(({ rules }) => rules))].filter((rule) => !known.has(rule));
}

/** Writes the table, or compares it with the committed one; false when that is out of date. */
function keepTable(text: string, write: boolean): boolean {
  const present = existsSync(tablePath) ? readFileSync(tablePath, "utf8") : "";
  if (write) {
    writeFileSync(tablePath, text);
    return true;
  }
  return present === text;
}

async function main(settings: Settings): Promise<void> {
  const rules = statedRules();
  const misnamed = unknownRules(allScripts, rules).map((rule) => `the reference has no rule ${rule}`);
  const chosen = settings.scripts ? allScripts.filter((script) => isChosen(script, settings.only)) : [];
  const results = await runAll(chosen, settings.jobs);
  const random = settings.random ? await runRandom(settings) : undefined;
  const failures = [...misnamed];
  if (settings.scripts && settings.only.length === 0 && random !== undefined) {
    const randomPart = { rules: randomRules, passed: random.failed === 0 };
    const table = conformanceTable({ rules, results, random: randomPart, testsOfRules: testsOfRules() });
    const unexplained = results.some(({ outcome }) => outcome === "differs" || outcome === "broken");
    // A table with a failure in it differs anyway, and the failure is counted already.
    if (!unexplained && random.failed === 0 && !keepTable(table, settings.write)) {
      failures.push("docs/conformance.md is out of date: run it with --write");
    }
  }
  const count = (outcome: Result["outcome"]): number => results.filter((result) => result.outcome === outcome).length;
  const unexplained = count("differs") + count("broken") + (random?.failed ?? 0);
  const same = count("same") + (random?.passed ?? 0);
  console.log(failures.map((failure) => `FAILED ${failure}`).join("\n"));
  console.log(`same ${same}, divergences explained ${count("explained")}, unexplained ${unexplained}`);
  const failed = unexplained + failures.length;
  console.log(`${same + count("explained")} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** Runs the command. */
export async function command(args: readonly string[]): Promise<void> {
  if (args.includes("--help")) {
    console.log(help);
    return;
  }
  if (missingTool("etcd") !== false) {
    console.log("skipped: no etcd on this machine, so nothing was compared (npm run peers builds one)");
    return;
  }
  let settings: Settings;
  try {
    settings = settingsOf(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    process.exitCode = 2;
    return;
  }
  await main(settings);
}
