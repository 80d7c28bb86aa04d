/**
 * Finds each call in the log again. A command may be told to be stored only after its call was made, and, if the call was
 * answered, before the answer came. Of several calls that ask the same, the one answered first takes the first command
 * that fits; calls whose fate is unknown take what is left. That order never fails where another would succeed.
 */
import { systemCaller } from "@holdfast/state-machine";
import type { Call } from "../history/calls.js";
import { nameOf, sameAnswer, show } from "./answers.js";
import { answerOf, fits } from "./fitting.js";
import type { Replay, Step } from "./replay.js";
import { leaseOf, looksOf, replacementWant, type Want, wantsOf } from "./wants.js";

/** Something the matching found wrong. */
export interface Mismatch {
  readonly invariant: string;
  readonly message: string;
}

/** What became of the calls in the log. */
export interface Matching {
  /** The last command of each call that was found. */
  readonly steps: ReadonlyMap<Call, Step>;
  readonly mismatches: readonly Mismatch[];
}

/** Above all orders. */
const refusedOffset = 2 ** 50;

/** Matches calls and commands. */
export function matchCalls(calls: readonly Call[], replay: Replay): Matching {
  const matcher = new Matcher(calls);
  for (const step of replay.steps) matcher.take(step);
  return matcher.finish();
}

class Matcher {
  readonly #open = new Map<string, Want[]>();
  /** What was answered with OK must be found. */
  readonly #demanded = new Set<Want>();
  /** Who had a look last, to tell a second effect from one that nobody asked for. */
  readonly #taken = new Map<string, Want>();
  readonly #steps = new Map<Call, Step>();
  readonly #mismatches: Mismatch[] = [];

  constructor(calls: readonly Call[]) {
    for (const call of calls) for (const want of wantsOf(call)) this.#add(want);
  }

  take(step: Step): void {
    // What the server does by itself, a client may have asked for as well: it must not stand for that.
    if (step.caller === systemCaller) return;
    const looks = looksOf(step.command);
    const candidates = looks.flatMap((look) => this.#open.get(look) ?? []).filter((want) => isInTime(want, step));
    const want = choose(candidates, step);
    if (want !== undefined) this.#match(want, step);
    else if (isOfClients(step)) this.#explain(step, candidates, looks);
  }

  finish(): Matching {
    for (const { call } of this.#demanded) {
      this.#wrong("I1", `${nameOf(call)} was answered ${answerOf(call)}, but the log has nothing of it in its time`);
    }
    return { steps: this.#steps, mismatches: this.#mismatches };
  }

  #add(want: Want): void {
    const open = this.#open.get(want.look);
    if (open === undefined) this.#open.set(want.look, [want]);
    else open.push(want);
    if (want.call.result?.fate === "done") this.#demanded.add(want);
  }

  #match(want: Want, step: Step): void {
    this.#remove(want, step);
    const { call, part } = want;
    if (part !== "join" || call.kind !== "campaign" || step.outcome.kind !== "txn") return;
    const found = step.outcome.response.responses[0]?.responseRange?.kvs[0];
    if (found === undefined || sameAnswer(found.value, call.request.value)) return;
    this.#add(replacementWant(call, found.createRevision, leaseOf(call) ?? found.lease));
  }

  #remove(want: Want, step: Step): void {
    const open = this.#open.get(want.look) ?? [];
    open.splice(open.indexOf(want), 1);
    this.#demanded.delete(want);
    this.#taken.set(want.look, want);
    this.#steps.set(want.call, step);
  }

  /** A command that fits no call: why? */
  #explain(step: Step, candidates: readonly Want[], looks: readonly string[]): void {
    const place = `position ${step.position} (${step.command.kind}, revision ${step.store.revision})`;
    const answered = candidates.find(({ call }) => call.result?.fate === "done");
    const refused = candidates.find(({ call }) => call.result?.fate === "refused");
    const before = looks.map((look) => this.#taken.get(look)).find((want) => want !== undefined);
    if (answered !== undefined) {
      this.#remove(answered, step);
      const answer = answerOf(answered.call);
      this.#wrong("I2", `${nameOf(answered.call)} was answered ${answer}, but at ${place} it is ${show(step.outcome)}`);
    } else if (refused !== undefined) {
      this.#remove(refused, step);
      this.#wrong(
        "I9",
        `${nameOf(refused.call)} was refused with ${answerOf(refused.call)}, but has an effect at ${place}`,
      );
    } else if (before !== undefined) {
      const first = this.#steps.get(before.call)?.position;
      this.#wrong("I9", `${nameOf(before.call)} is in the log twice: at position ${first} and at ${place}`);
    } else {
      this.#wrong("I9", `${place} was asked for by nobody in its time: ${show(step.command)}`);
    }
  }

  #wrong(invariant: string, message: string): void {
    this.#mismatches.push({ invariant, message });
  }
}

/** Stored after the call was made, and before it was answered; of an unknown fate at any time after. */
function isInTime({ call }: Want, { entry }: Step): boolean {
  if (entry.at.order < call.invoked.order) return false;
  const isSettled = call.result?.fate === "done" || call.result?.fate === "refused";
  return !isSettled || call.ended === undefined || entry.at.order < call.ended.order;
}

/** The call that this command must be of, if it is of any of them. */
function choose(candidates: readonly Want[], step: Step): Want | undefined {
  let best: Want | undefined;
  for (const want of candidates) {
    if (fits(want, step) && (best === undefined || urgency(want) < urgency(best))) best = want;
  }
  return best;
}

/**
 * Those that must be found, by when they were answered; then those refused, which need not be in the log, by the same; then
 * those without an answer, which can wait.
 */
function urgency({ call }: Want): number {
  const fate = call.result?.fate;
  if (call.ended === undefined || fate === undefined || fate === "unknown") return Number.POSITIVE_INFINITY;
  return fate === "done" ? call.ended.order : refusedOffset + call.ended.order;
}

/** Not so are ends of leases, and what administrators do to users and alarms. */
function isOfClients({ command }: Step): boolean {
  switch (command.kind) {
    case "put":
    case "deleteRange":
    case "txn":
    case "compact":
    case "leaseGrant":
    case "leaseRevoke":
      return true;
    default:
      return false;
  }
}
