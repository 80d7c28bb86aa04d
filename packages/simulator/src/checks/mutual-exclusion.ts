/**
 * C6: careful holders of one name never hold at the same real time (I4c), and a resource that turns lower tokens away never
 * goes backwards (I5). How often one that does not look at tokens did go backwards is counted: a set of runs in which it
 * never does is too tame. Needs holds and writes only.
 */
import type { Hold, ResourceWrite } from "../history/holds.js";
import type { Evidence } from "./evidence.js";
import { type Finding, FindingBuilder } from "./finding.js";

export function checkMutualExclusion({ history }: Evidence): Finding {
  const builder = new FindingBuilder("C6");
  const careful = history.holds.filter((hold) => hold.careful);
  for (const holds of groupByName(careful)) checkOverlaps(holds, builder);
  for (const writes of groupByName(history.resourceWrites)) checkWrites(writes, builder);
  builder.count("careful holds", careful.length);
  return builder.finding();
}

function groupByName<Item extends { readonly name: string }>(items: readonly Item[]): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(item.name);
    if (group === undefined) groups.set(item.name, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

function checkOverlaps(holds: readonly Hold[], builder: FindingBuilder): void {
  const byStart = [...holds].sort((left, right) => left.from.order - right.from.order);
  byStart.forEach((hold, at) => {
    for (const later of byStart.slice(at + 1)) {
      if (later.from.order >= endOf(hold)) return;
      // Callers that share a lease are one owner (I5).
      if (later.key !== hold.key || later.token !== hold.token) builder.violation("I4c", tellOverlap(hold, later));
    }
  });
}

function endOf({ until }: Hold): number {
  return until?.order ?? Number.POSITIVE_INFINITY;
}

function tellOverlap(first: Hold, second: Hold): string {
  return `${tell(first)} and ${tell(second)} both held ${JSON.stringify(first.name)} from ${second.from.ms} ms on`;
}

function tell({ client, token, from, until }: Hold): string {
  return `${client} (token ${token}, ${from.ms} to ${until?.ms ?? "the end"} ms)`;
}

function checkWrites(writes: readonly ResourceWrite[], builder: FindingBuilder): void {
  let highestAccepted = 0;
  let highest = 0;
  for (const write of [...writes].sort((left, right) => left.at.order - right.at.order)) {
    builder.count("writes");
    if (write.token < highest) builder.count("unfenced resource went backwards");
    highest = Math.max(highest, write.token);
    if (!write.accepted) continue;
    if (write.token < highestAccepted) {
      const what = `token ${write.token} of ${write.client} after ${highestAccepted} for ${JSON.stringify(write.name)}`;
      builder.violation("I5", `the resource that looks at tokens took ${what}`);
    }
    highestAccepted = Math.max(highestAccepted, write.token);
  }
}
