/**
 * Keys with many versions, against a list of everything that was ever written: read at every revision, whatever was deleted,
 * compacted, restored or raised in between.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Restorer } from "./restorer.js";
import type { StateMachine } from "./state-machine.js";
import { Driver, deleteOp, key, putOp, text } from "./testing/builders.js";

const names = ["a", "b", "c"];

type Action =
  | { readonly kind: "put" | "recreate"; readonly names: readonly string[]; readonly times: number }
  | { readonly kind: "delete"; readonly name: string }
  | { readonly kind: "compact"; readonly part: number; readonly swept: number }
  | { readonly kind: "raise"; readonly step: number }
  | { readonly kind: "restore" };

const bursts = fc.record({
  kind: fc.constantFrom("put" as const, "put" as const, "recreate" as const),
  names: fc.subarray(names, { minLength: 1 }),
  times: fc.oneof(fc.nat(5), fc.nat(400)),
});

const compactions = fc.record({
  kind: fc.constant("compact" as const),
  part: fc.double({ min: 0, max: 1, noNaN: true }),
  swept: fc.nat(1_500),
});

const others: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant("delete" as const), name: fc.constantFrom(...names) }),
  fc.record({ kind: fc.constant("raise" as const), step: fc.constantFrom(1, 1_000, 2 ** 33) }),
  fc.constant({ kind: "restore" as const }),
);

const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof({ weight: 4, arbitrary: bursts }, { weight: 2, arbitrary: compactions }, { weight: 1, arbitrary: others }),
  { maxLength: 30, size: "max" },
);

function restored(machine: StateMachine, revisionStep: number): StateMachine {
  const frozen = machine.freeze();
  const restorer = new Restorer();
  for (const chunk of frozen.chunks()) restorer.push(chunk);
  frozen.release();
  return restorer.finish(revisionStep);
}

/** A machine, and what each key was at each revision at which that changed. */
class Comparison {
  #driver = new Driver();
  readonly #facts = new Map<string, { readonly revision: number; readonly value: string | undefined }[]>();

  run(action: Action): void {
    if (action.kind === "put" || action.kind === "recreate") this.#write(action.kind, action.names, action.times);
    else if (action.kind === "delete") this.#delete(action.name);
    else if (action.kind === "compact") this.#compact(action.part, action.swept);
    else this.#driver = new Driver(restored(this.#driver.machine, action.kind === "raise" ? action.step : 0));
  }

  /** Reads every key at every revision at which any changed, and beside it. */
  check(): void {
    const { machine } = this.#driver;
    const changed = [...this.#facts.values()].flat().flatMap(({ revision }) => [revision - 1, revision]);
    const first = Math.max(machine.compactRevision, 1);
    for (const revision of new Set([...changed, first, machine.revision])) {
      if (revision < first) continue;
      for (const name of names) {
        const found = machine.getAt(key(name), revision);
        assert.equal(found && text(found.value), this.#expected(name, revision), `${name} at ${revision}`);
      }
    }
  }

  #expected(name: string, revision: number): string | undefined {
    return this.#factsOf(name).findLast((fact) => fact.revision <= revision)?.value;
  }

  /** Writes these keys in one revision, so often; `recreate` deletes them in the same revision first. */
  #write(kind: "put" | "recreate", written: readonly string[], times: number): void {
    for (let time = 0; time < times; time++) {
      const value = String(this.#driver.revision + 1);
      const deletions = kind === "put" ? [] : written.map((name) => deleteOp({ key: name }));
      this.#driver.txn({ success: [...deletions, ...written.map((name) => putOp({ key: name, value }))] });
      for (const name of written) this.#note(name, value);
    }
  }

  #delete(name: string): void {
    const { deleted } = this.#driver.delete(name);
    if (deleted > 0) this.#note(name, undefined);
  }

  #compact(part: number, swept: number): void {
    const { revision, machine } = this.#driver;
    const from = machine.compactRevision;
    const to = from + Math.floor((revision - from) * part);
    if (to > from) this.#driver.compact(to);
    machine.sweep(swept);
  }

  #note(name: string, value: string | undefined): void {
    this.#factsOf(name).push({ revision: this.#driver.revision, value });
  }

  #factsOf(name: string) {
    const facts = this.#facts.get(name) ?? [];
    this.#facts.set(name, facts);
    return facts;
  }
}

test("KV-12, COMP-3, COMP-6: keys with many versions are found as they were at every readable revision", () => {
  fc.assert(
    fc.property(actions, (done) => {
      const comparison = new Comparison();
      for (const action of done) comparison.run(action);
      comparison.check();
    }),
  );
});
