/** Follows the memory of a server over a stretch of time. */
import type { Server } from "../servers/server.js";

/** Resident set of the server, in MiB. */
export interface MemoryFigures {
  readonly highestMiB: number;
  readonly lastMiB: number;
}

const lookEveryMs = 100;

/** Begins now; the function returned ends it and tells what was seen. */
export function followMemory(server: Pick<Server, "residentMiB">): () => MemoryFigures {
  let highestMiB = 0;
  let lastMiB = 0;
  const look = (): void => {
    lastMiB = server.residentMiB();
    highestMiB = Math.max(highestMiB, lastMiB);
  };
  look();
  const timer = setInterval(look, lookEveryMs);
  return () => {
    clearInterval(timer);
    look();
    return { highestMiB, lastMiB };
  };
}
