// LIM-6: the server compacts by itself.

import type { Answer } from "../answer.js";
import { eventually, refusals } from "../phrases.js";
import { script } from "../script.js";

const periodic = (period: string): string[] => [
  "--auto-compaction-mode",
  "periodic",
  "--auto-compaction-retention",
  period,
];

/** The scripts of this section. */
export const scripts = [
  script(
    "LIM-6",
    "what is older than the period is compacted, readers and watchers see it",
    async (s) => {
      await s.put("a", "1");
      await s.put("a", "2");
      await s.put("a", "3");
      const unobserved = "when it is compacted is a matter of time";
      const old = (): Promise<Answer> => s.range("a", { revision: 2 }, { unobserved });
      (await old()).shows({ count: 1 });
      (await eventually(old, ({ status }) => status !== "OK")).refused(...refusals.compacted);
      (
        await eventually(
          () => s.range("a", { revision: 3 }, { unobserved }),
          ({ status }) => status !== "OK",
        )
      ).refused(...refusals.compacted);
      (await s.range("a", { revision: 4 })).shows({ kvs: [{ value: "3" }] });
      (await s.range("a")).shows({ count: 1, header: { revision: 4 } });
      (await s.compact(4)).refused(...refusals.compacted);
      const watch = s.stream("etcdserverpb.Watch/Watch");
      watch.send({ create_request: { key: "a", start_revision: 2 } });
      (await watch.next()).shows({ created: true });
      (await watch.next()).shows({ canceled: true, compact_revision: 4 });
    },
    { args: periodic("1s") },
  ),
  script(
    "LIM-6",
    "a number without a unit means hours, and 0 never",
    async (s) => {
      await s.put("a", "1");
      await s.put("a", "2");
      (await s.range("a", { revision: 2 })).shows({ count: 1 });
    },
    { args: periodic("1") },
  ),
  script(
    "LIM-6",
    "by revisions nothing is compacted before five minutes are over",
    async (s) => {
      for (const value of ["1", "2", "3"]) {
        await s.put("a", value);
      }
      (await s.range("a", { revision: 2 })).shows({ count: 1 });
    },
    { args: ["--auto-compaction-mode", "revision", "--auto-compaction-retention", "1"] },
  ),
];
