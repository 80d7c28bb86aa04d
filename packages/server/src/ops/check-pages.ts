/**
 * `/livez` and `/readyz`: whether the process should be restarted, and whether clients may be sent to it (HTTP-3). Each is a
 * list of checks, and each check has a path of its own below.
 */
import { AlarmType } from "@holdfast/protocol";
import type { PlainRequest } from "@holdfast/transport";
import type { HealthCounters } from "./health-counters.js";
import type { OpsSources } from "./ops-sources.js";
import { everyDoor, page, queryOf, textHeaders } from "./page.js";
import type { Route } from "./route.js";
import { type ReadEnd, trialRead } from "./trial-read.js";

interface Check {
  readonly name: string;
  /** Calls `done` once: with what is wrong, or with nothing. */
  run(done: ReadEnd): void;
}

interface CheckOutcome {
  readonly name: string;
  readonly error: string | undefined;
}

export function checkRoutes(sources: OpsSources, counters: HealthCounters): Route[] {
  const serializable = readCheck(sources, true);
  const linearizable = readCheck(sources, false);
  return [
    ...checkPages("livez", [serializable], counters),
    ...checkPages("readyz", [corruptionCheck(sources), serializable, linearizable, nonLearner], counters),
  ];
}

/** The page of all checks, of which `exclude` leaves some out, and one for each, on which it means nothing. */
function checkPages(name: string, checks: readonly Check[], counters: HealthCounters): Route[] {
  const counted = checks.map((check) => counting(name, check, counters));
  const all = page(`/${name}`, everyDoor, (request) => {
    const excluded = queryOf(request).getAll("exclude");
    runAll(
      counted.filter((check) => !excluded.includes(check.name)),
      (outcomes) => answer(request, outcomes),
    );
  });
  const single = counted.map((check) =>
    page(`/${name}/${check.name}`, everyDoor, (request) => runAll([check], (outcomes) => answer(request, outcomes))),
  );
  return [all, ...single];
}

function counting(page: string, { name, run }: Check, counters: HealthCounters): Check {
  return {
    name,
    run: (done) =>
      run((error) => {
        counters.countCheck(page, name, error === undefined);
        done(error);
      }),
  };
}

/** Runs the checks side by side; their outcomes come in the order of the checks. */
function runAll(checks: readonly Check[], done: (outcomes: readonly CheckOutcome[]) => void): void {
  const errors = new Map<Check, string | undefined>();
  const finish = (): void => done(checks.map((check) => ({ name: check.name, error: errors.get(check) })));
  if (checks.length === 0) finish();
  for (const check of checks) {
    check.run((error) => {
      errors.set(check, error);
      if (errors.size === checks.length) finish();
    });
  }
}

/** etcd writes a failure as an error, with one more line feed. */
function answer(request: PlainRequest, outcomes: readonly CheckOutcome[]): void {
  const lines = outcomes
    .map(({ name, error }) => (error === undefined ? `[+]${name} ok\n` : `[-]${name} failed: ${error}\n`))
    .join("");
  if (outcomes.some(({ error }) => error !== undefined)) request.respond(503, textHeaders, `${lines}\n`);
  else request.respond(200, textHeaders, queryOf(request).has("verbose") ? `${lines}ok\n` : "ok\n");
}

function readCheck({ context: { replica, environment } }: OpsSources, serializable: boolean): Check {
  return {
    name: serializable ? "serializable_read" : "linearizable_read",
    run: (done) => trialRead({ replica, environment, serializable }, done),
  };
}

function corruptionCheck({ context: { replica } }: OpsSources): Check {
  return {
    name: "data_corruption",
    run: (done) => {
      const isRaised = replica.machine.alarms().some(({ alarm }) => alarm === AlarmType.CORRUPT);
      done(isRaised ? "alarm activated: CORRUPT" : undefined);
    },
  };
}

/** One process is the whole cluster and never learns from another. */
const nonLearner: Check = { name: "non_learner", run: (done) => done(undefined) };
