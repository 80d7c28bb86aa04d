/**
 * Finds circles in a directed graph: a depth-first search that reports the way back to a node still being visited.
 */

/**
 * @param graph a Map from a node to the nodes it points to.
 * @returns one path per circle found, its first node repeated at the end. Every graph with a circle yields at least one.
 */
export function findCycles(graph) {
  const cycles = [];
  const finished = new Set();
  const path = [];

  function visit(node) {
    if (finished.has(node)) return;
    const start = path.indexOf(node);
    if (start >= 0) {
      cycles.push([...path.slice(start), node]);
      return;
    }
    path.push(node);
    for (const next of graph.get(node) ?? []) visit(next);
    path.pop();
    finished.add(node);
  }

  for (const node of graph.keys()) visit(node);
  return cycles;
}
