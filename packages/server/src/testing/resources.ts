/** What keeps the process busy: handles, timers, requests, threads. */

/** Requests to the file system that end by themselves, the module loader's among them. */
const passing = new Set(["CloseReq", "FSReqCallback", "FSReqPromise"]);

/** How many active resources of each kind there are now, as a text that can be compared. */
export function activeResources(): string {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (!passing.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts]
    .map(([kind, count]) => `${kind} ${count}`)
    .sort()
    .join(", ");
}

const turnsMax = 200;

/** The same once it is `expected`, or after some turns of the event loop, in which closed handles are really gone. */
export async function resourcesSettled(expected: string): Promise<string> {
  for (let turns = 0; turns < turnsMax && activeResources() !== expected; turns++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return activeResources();
}
