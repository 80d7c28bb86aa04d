// Runs one script against a fresh etcd and a fresh Holdfast at the same time, and judges what it saw.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freeAddress } from "../launches.js";
import { type ServerUnderTest, startServer } from "../server-under-test.js";
import type { TargetName } from "../target.js";
import { serverFiles } from "./certificates.js";
import { unexplained } from "./compare.js";
import type { Observation } from "./recorder.js";
import { type Fill, RunContext } from "./run-context.js";
import type { Script, ScriptOptions } from "./script.js";
import { Session } from "./session.js";

/** What became of a script. */
export interface Result {
  readonly script: Script;
  /** `broken`: the script itself, or the rule, does not hold against etcd; its `complaints` say why. */
  readonly outcome: "same" | "explained" | "differs" | "broken";
  readonly complaints: readonly string[];
}

/** What one run of a script left behind. */
export interface Run {
  readonly observations: readonly Observation[];
  readonly demands: number;
  /** Why the script did not come to its end, if it did not. */
  readonly failure: string | undefined;
}

const secondsMaxDefault = 30;
/** How much is told of the output of a server that did not start. */
const startComplaintCharsMax = 600;

/** Runs a script on both servers. `rows` are the rules that docs/divergence.md excuses. */
export async function runScript(script: Script, rows: ReadonlySet<string>): Promise<Result> {
  const broken = (...complaints: string[]): Result => ({ script, outcome: "broken", complaints });
  const unknownRow = script.options.divergences?.find(({ row }) => !rows.has(row));
  if (unknownRow !== undefined) {
    return broken(`docs/divergence.md has no row ${unknownRow.row}`);
  }
  let runs: readonly Run[];
  try {
    runs = await Promise.all([runOn("etcd", script), runOn("holdfast", script).catch(notStarted)]);
  } catch (error) {
    return broken(`etcd: ${notStarted(error).failure}`);
  }
  const [etcd, holdfast] = runs as [Run, Run];
  if (etcd.failure !== undefined) {
    return broken(`against etcd: ${etcd.failure}`);
  }
  if (etcd.observations.length === 0 || etcd.demands === 0) {
    return broken(
      `it made ${etcd.observations.length} exchanges and demanded ${etcd.demands} things; both must be some`,
    );
  }
  return judge(script, etcd, holdfast);
}

/** The run of a server that did not start. */
function notStarted(error: unknown): Run {
  const failure = `it did not start: ${String(error).slice(0, startComplaintCharsMax)}`;
  return { observations: [], demands: 0, failure };
}

function judge(script: Script, etcd: Run, holdfast: Run): Result {
  const { divergences = [] } = script.options;
  const differences = unexplained(etcd.observations, holdfast.observations, divergences);
  const complaints = holdfast.failure === undefined ? differences : [...differences, `Holdfast: ${holdfast.failure}`];
  if (complaints.length > 0) {
    return { script, outcome: "differs", complaints };
  }
  return { script, outcome: divergences.length > 0 ? "explained" : "same", complaints };
}

/** Runs a script on a fresh server of one kind. Throws only when that does not start. */
async function runOn(target: TargetName, script: Script): Promise<Run> {
  const { server, fill, end } = await freshServer(target, script.options);
  try {
    return await runBody(server, target, script, fill);
  } finally {
    await end();
  }
}

/** Starts a server as a script wants it. `end` ends it and removes every file. */
export async function freshServer(
  target: TargetName,
  { args = [], env = {}, files = {}, tls = false }: ScriptOptions = {},
): Promise<{ server: ServerUnderTest; fill: Fill; end(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-differential-"));
  const clear = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(folder, name), content);
    }
    const all = [...args, ...Object.values(env)];
    const free = all.some((text) => text.includes("{free}")) ? await freeAddress() : "";
    const fill = (text: string): string => text.replaceAll("{files}", folder).replaceAll("{free}", free);
    const server = await startServer({
      target,
      env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, fill(value)])),
      args: args.map(fill),
      ...(tls ? { tls: await serverFiles() } : {}),
    });
    const end = async (): Promise<void> => {
      await server.dispose();
      clear();
    };
    return { server, fill, end };
  } catch (error) {
    clear();
    throw error;
  }
}

/** Runs the body of a script on a server that is there, and takes down what it saw. */
export async function runBody(server: ServerUnderTest, target: TargetName, script: Script, fill: Fill): Promise<Run> {
  const run = new RunContext(target, server.endpoint, fill);
  const session = await Session.open(run, server, script.options.tls === true);
  const secondsMax = script.options.secondsMax ?? secondsMaxDefault;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    const complain = (): void => reject(new Error(`not done after ${secondsMax} s; it waits for ${run.waiting}`));
    timer = setTimeout(complain, secondsMax * 1000);
  });
  let failure: string | undefined;
  try {
    await Promise.race([script.run(session), tooLate]);
  } catch (error) {
    failure = error instanceof Error ? withLine(error) : String(error);
  } finally {
    clearTimeout(timer);
    run.end();
  }
  return { observations: run.recorder.observations(server.endpoint), demands: run.demands, failure };
}

/** An error's message with the line of the script where it arose. */
function withLine({ message, stack = "" }: Error): string {
  const line = stack.split("\n").find((frame) => frame.includes("/scripts/") || frame.includes("/random/"));
  const place = line?.slice(line.lastIndexOf("/") + 1).replace(")", "");
  return place === undefined ? message : `${message} (${place})`;
}
