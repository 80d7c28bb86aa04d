/** F48: watches while permissions come and go, held against what their user might read, key by key, when an event was made. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { authService, cancelReasons, type WatchResponse } from "@holdfast/protocol";
import fc from "fast-check";
import { allow, type Secured, startSecured } from "../testing/secured.js";
import { byteString } from "../testing/test-client.js";
import { openWatch, sendCreate, type WatchStream } from "../testing/watching.js";

const auth = authService.methods;
const keys = ["a", "b", "c", "d"];

/** A key, and the end where it is an interval. */
type Range = readonly [key: string, rangeEnd?: string];

const granted: readonly Range[] = [["a"], ["b"], ["a", "c"], ["b", "\0"]];
const watched: readonly Range[] = [["a"], ["b"], ["d"], ["a", "c"], ["b", "\0"], ["", "\0"]];

type Step =
  | { readonly kind: "grant"; readonly range: Range; readonly right: "r" | "w" | "rw" }
  | { readonly kind: "revoke"; readonly range: Range }
  | { readonly kind: "put"; readonly key: string }
  | { readonly kind: "watch"; readonly range: Range };

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("grant" as const),
      range: fc.constantFrom(...granted),
      right: fc.constantFrom("r" as const, "w" as const, "rw" as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("revoke" as const), range: fc.constantFrom(...granted) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("put" as const), key: fc.constantFrom(...keys) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("watch" as const), range: fc.constantFrom(...watched) }) },
);

function isIn(key: string, [from, end]: Range): boolean {
  return end === undefined ? key === from : key >= from && (end === "\0" || key < end);
}

/** One run: the server, the grants that are in force, and what ann's stream has brought. */
class Run {
  readonly #root: Secured["root"];
  readonly #stream: WatchStream;
  readonly #rights = new Map<Range, string>();
  /** Which keys ann might read when a revision was made. */
  readonly #readableAt = new Map<number, readonly string[]>();
  readonly responses: WatchResponse[] = [];

  constructor(root: Secured["root"], stream: WatchStream) {
    this.#root = root;
    this.#stream = stream;
  }

  async take(step: Step): Promise<void> {
    if (step.kind === "grant") {
      await allow(this.#root, "ann", [step.right, ...step.range]);
      this.#rights.set(step.range, step.right);
    } else if (step.kind === "revoke") {
      const [key, rangeEnd = ""] = step.range;
      const interval = { key: byteString(key), rangeEnd: byteString(rangeEnd) };
      if (!this.#rights.delete(step.range)) return;
      await this.#root.call(auth.roleRevokePermission, { role: "ann", ...interval });
    } else if (step.kind === "put") {
      const { header } = await this.#root.put(step.key, "x");
      this.#readableAt.set(
        header?.revision ?? 0,
        keys.filter((key) => this.#mayRead(key)),
      );
    } else {
      const [key, rangeEnd = ""] = step.range;
      sendCreate(this.#stream, key, { rangeEnd });
      await this.#untilAnswered();
    }
  }

  /** Every event was about a key that ann might read then, and whoever was cut off was told why. */
  check(): void {
    for (const { events, canceled, cancelReason } of this.responses) {
      if (canceled) assert.equal(cancelReason, cancelReasons.permissionDenied);
      for (const { kv } of events) {
        const readable = this.#readableAt.get(kv?.modRevision ?? 0) ?? [];
        assert.ok(readable.includes(kv?.key ?? ""), `${kv?.key} at ${kv?.modRevision}, when ${readable} could be read`);
      }
    }
  }

  /** All that was sent before is there when the answer to a create is. */
  async #untilAnswered(): Promise<void> {
    for (;;) {
      const response = await this.#stream.next();
      this.responses.push(response);
      if (response.created) return;
    }
  }

  #mayRead(key: string): boolean {
    return [...this.#rights].some(([range, right]) => right !== "w" && isIn(key, range));
  }
}

test("F48, I13: no watch brings an event of a key that its user may not read at that moment, whatever is granted and revoked", async (t) => {
  const seen = { events: 0, refused: 0, withdrawn: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 15, maxLength: 40, size: "max" }), async (taken) => {
      const { root, as } = await startSecured(t, { ann: [] });
      const run = new Run(root, openWatch(await as("ann")));
      const [first = ["a"]] = granted;
      await run.take({ kind: "grant", range: first, right: "r" });
      await run.take({ kind: "watch", range: first });
      for (const step of taken) await run.take(step);
      await run.take({ kind: "watch", range: ["beyond all"] });
      run.check();
      for (const { events, created, canceled } of run.responses) {
        seen.events += events.length;
        if (canceled && created) seen.refused++;
        else if (canceled) seen.withdrawn++;
      }
    }),
    { numRuns: 40 },
  );
  t.diagnostic(JSON.stringify(seen));
  assert.ok(seen.events > 0 && seen.refused > 0 && seen.withdrawn > 0, JSON.stringify(seen));
});
