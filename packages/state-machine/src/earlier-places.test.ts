/**
 * The list of earlier places against an array.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EarlierPlaces } from "./earlier-places.js";

test("grows behind, shrinks in front, and lets the first be moved, as an array does", () => {
  const action = fc.constantFrom("push" as const, "push" as const, "dropFirst" as const, "moveFirst" as const);
  fc.assert(
    fc.property(fc.array(action, { size: "max", maxLength: 400 }), (actions) => {
      const expected = [-1, 0];
      const places = new EarlierPlaces(-1, 0);
      for (const [index, one] of actions.entries()) {
        if (one === "push") {
          expected.push(index);
          places.push(index);
        } else if (one === "dropFirst" && expected.length > 1) {
          expected.shift();
          places.dropFirst();
        } else {
          expected[0] = -index;
          places.moveFirst(-index);
        }
      }
      assert.deepEqual(
        Array.from({ length: places.length }, (_, index) => places.at(index)),
        expected,
      );
    }),
  );
});
