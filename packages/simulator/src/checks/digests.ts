/** C10: the state at an index is the same in every life, with and without a snapshot (I10). Skipped without digests. */
import type { Evidence } from "./evidence.js";
import { type Finding, FindingBuilder, skipped } from "./finding.js";

export function checkDigests({ history }: Evidence): Finding {
  if (history.digests.length === 0) return skipped("C10", "no digests of states were taken");
  const builder = new FindingBuilder("C10");
  const first = new Map<number, (typeof history.digests)[number]>();
  for (const one of history.digests) {
    const other = first.get(one.index);
    builder.count(other === undefined ? "states" : "states compared");
    if (other === undefined) first.set(one.index, one);
    else if (other.digest !== one.digest) {
      const lives = `lives ${other.life} and ${one.life}`;
      builder.violation(
        "I10",
        `the states at index ${one.index} differ between ${lives}: ${other.digest}, ${one.digest}`,
      );
    }
  }
  return builder.finding();
}
