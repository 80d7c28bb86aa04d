/**
 * The dated places against an array of places and revisions.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DatedPlaces } from "./dated-places.js";

interface Version {
  place: number;
  readonly revision: number;
}

type Action = { readonly kind: "drop" | "move" } | { readonly kind: "push"; readonly steps: readonly number[] };

/** How much later a version is than the one before it: mostly a little, sometimes by more than 32 bits have room for. */
const step = fc.oneof(
  { weight: 20, arbitrary: fc.nat(3) },
  { weight: 3, arbitrary: fc.nat(100_000) },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40) },
);

const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant("push" as const), steps: fc.array(step, { maxLength: 60 }) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("drop" as const, "move" as const) }) },
  ),
  { maxLength: 60 },
);

/** Does the same to both; a drop is of many, so that memory is given up. */
function act(places: DatedPlaces, model: Version[], action: Action): void {
  if (action.kind === "push") {
    for (const later of action.steps) push(places, model, model.at(-1)!.revision + later);
  } else if (action.kind === "move") {
    model[0]!.place = 2 ** 31 - model.length;
    places.moveFirst(model[0]!.place);
  } else {
    for (let count = model.length >> 1; count > 0; count--) {
      model.shift();
      places.dropFirst();
    }
  }
}

function push(places: DatedPlaces, model: Version[], revision: number): void {
  const place = (2 * revision) % 2 ** 31;
  places.push(place, revision);
  model.push({ place, revision });
}

function check(places: DatedPlaces, model: readonly Version[]): void {
  const held = Array.from({ length: places.length }, (_, index) => places.at(index));
  assert.deepEqual(
    held,
    model.map(({ place }) => place),
  );
  for (const { revision } of model) {
    for (const asked of [revision - 1, revision, revision + 1]) {
      const expected = model.findLast((version) => version.revision <= asked);
      assert.equal(places.findAt(asked), expected?.place, `at ${asked}`);
    }
  }
}

test("KV-12: finds the newest of any revision, however unevenly they come, and keeps places as an array does", () => {
  fc.assert(
    fc.property(fc.constantFrom(2, 2 ** 31, 2 ** 45), actions, (first, done) => {
      const model: Version[] = [];
      const places = new DatedPlaces(first, 1);
      push(places, model, first);
      for (const action of done) {
        act(places, model, action);
        check(places, model);
      }
    }),
  );
});
