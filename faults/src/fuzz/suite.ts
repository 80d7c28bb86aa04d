/**
 * The fuzzers, each a scenario: the same inputs for a few seconds in every run, others and longer with `--seed` and
 * `--seconds`. The mutations are our own; an input is made from one number, and `--seed` with the number of a failure makes
 * the same input first.
 */
import type { Scenario, ScenarioContext, Suite } from "../scenario.js";
import { fuzz } from "./fuzz.js";
import type { FuzzTarget } from "./fuzz-target.js";
import { BatchesTarget } from "./targets/batches.js";
import { CommandsTarget } from "./targets/commands.js";
import { FramesTarget } from "./targets/frames.js";
import { FramesProcessTarget } from "./targets/frames-process.js";
import { HpackTarget } from "./targets/hpack.js";
import { HttpTarget } from "./targets/http.js";
import { JsonTarget } from "./targets/json.js";
import { LogFilesTarget } from "./targets/log-files.js";
import { ProtobufTarget } from "./targets/protobuf.js";
import { SnapshotFilesTarget } from "./targets/snapshot-files.js";
import { StatesTarget } from "./targets/states.js";
import { WebSocketsTarget } from "./targets/web-sockets.js";

const defaultSeconds = 4;
const defaultSeed = 1;
/** For starting what is fuzzed, for making a failing input smaller, and for looking at what is left. */
const secondsBesides = 60;

type TargetMaker = (context: ScenarioContext) => FuzzTarget | Promise<FuzzTarget>;

function scenario(title: string, newTarget: TargetMaker): Scenario {
  return { title, secondsMax: defaultSeconds + secondsBesides, run: (context) => runTarget(newTarget, context) };
}

async function runTarget(newTarget: TargetMaker, context: ScenarioContext): Promise<void> {
  const target = await newTarget(context);
  context.cleanUp(() => target.close?.());
  const plan = { seed: context.seed ?? defaultSeed, seconds: context.seconds ?? defaultSeconds };
  const { executions, seconds, slowestMs, slowestSeed } = await fuzz(target, plan);
  const rate = Math.round(executions / seconds);
  context.note(
    `${executions} executions, ${rate}/s, seeds from ${plan.seed}; slowest ${slowestMs.toFixed(1)} ms (${slowestSeed})`,
  );
  const figures = target.figures?.();
  if (figures !== undefined) context.note(figures);
}

export const fuzzSuite: Suite = {
  name: "fuzz",
  summary: "random and damaged input for everything that reads input: connections, messages, logs, snapshots",
  scenarios: [
    scenario(
      "F41, F42, I12: frames: whatever a client sends over HTTP/2, nothing is thrown and nothing stays",
      () => new FramesTarget(),
    ),
    scenario(
      "F31, F32: hpack: header blocks are read as nghttp2 reads them, or refused as malformed",
      () => new HpackTarget(),
    ),
    scenario(
      "F45: protobuf: every message of every type is read and written again, or refused as malformed",
      () => new ProtobufTarget(),
    ),
    scenario("F44, F45: json: every JSON value becomes a message, or is refused as such", () => new JsonTarget()),
    scenario(
      "F10, I10: commands: whatever can be decoded can be applied, with the same outcome everywhere",
      () => new CommandsTarget(),
    ),
    scenario(
      "F10, F61: batches: an entry of the log is read and applied, or refused as unreadable",
      () => new BatchesTarget(),
    ),
    scenario(
      "F5, F10: states: a snapshot of the state is refused, or is a state that any command can be applied to",
      () => new StatesTarget(),
    ),
    scenario("F3, F4, I11: log-files: a damaged folder opens with what was stored, or is refused untouched", () =>
      LogFilesTarget.create(),
    ),
    scenario(
      "F5, F62: snapshot-files: a changed snapshot file is refused",
      ({ folder }) => new SnapshotFilesTarget(folder),
    ),
    scenario(
      "F41, F42, F45, I12: frames-process: HTTP/2 to a real server, which serves others and keeps nothing",
      (context) => new FramesProcessTarget(context),
    ),
    scenario(
      "F26, F42, F44, I12: http: HTTP/1.1 and JSON to a real server, which serves others and keeps nothing",
      (context) => new HttpTarget(context),
    ),
    scenario(
      "F26, F42, F44, I12: web-sockets: WebSocket frames to a real server, which serves others and keeps nothing",
      (context) => new WebSocketsTarget(context),
    ),
  ],
};
