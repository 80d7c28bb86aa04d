/**
 * Every engine and every way of opening a log, against the two contracts.
 */

import type { Log } from "./log.js";
import { MemoryEngine } from "./memory/memory-engine.js";
import { MemoryStore } from "./memory/memory-store.js";
import { openMemoryLog } from "./memory/open-memory-log.js";
import { type EnginePlace, testEngineContract } from "./testing/engine-contract.js";
import { type LogPlace, testLogContract } from "./testing/log-contract.js";
import { RealPlace } from "./testing/real-place.js";
import { type CrashMode, SimulatedDisk } from "./testing/simulated-disk.js";
import { SimulatedPlace } from "./testing/simulated-place.js";

class MemoryPlace implements EnginePlace, LogPlace {
  readonly #store: MemoryStore;
  readonly #unanswered: "lost" | "kept";

  constructor(shared: boolean, unanswered: "lost" | "kept") {
    this.#store = new MemoryStore({ shared });
    this.#unanswered = unanswered;
  }

  engine(): MemoryEngine {
    return new MemoryEngine(this.#store, { limits: { entryBytesMax: 2000 } });
  }

  open(): Promise<Log> {
    return openMemoryLog({ store: this.#store, limits: { entryBytesMax: 2000 } });
  }

  async crash(): Promise<void> {
    this.#store.crash(this.#unanswered);
  }

  async dispose(): Promise<void> {
    this.#store.crash();
  }
}

const PLACES: { readonly [name: string]: () => Promise<EnginePlace & LogPlace> } = {
  "memory, unanswered entries lost": async () => new MemoryPlace(false, "lost"),
  "memory, unanswered entries kept": async () => new MemoryPlace(false, "kept"),
  "memory, shared": async () => new MemoryPlace(true, "kept"),
  "file, simulated disk, kind crashes": async () => new SimulatedPlace("kind", nextSeed()),
  "file, simulated disk, strict crashes": async () => new SimulatedPlace("strict", nextSeed()),
  "file, simulated disk, wild crashes": async () => new SimulatedPlace("wild", nextSeed()),
  "file, direct writes, simulated disk, kind crashes": async () => directPlace("kind"),
  "file, direct writes, simulated disk, strict crashes": async () => directPlace("strict"),
  "file, direct writes, simulated disk, wild crashes": async () => directPlace("wild"),
  "file, real disk": () => RealPlace.make("own thread"),
  "file, real disk, direct writes where it has them": () => RealPlace.make("pool"),
};

function directPlace(mode: CrashMode): SimulatedPlace {
  return new SimulatedPlace(mode, nextSeed(), SimulatedDisk.direct());
}

let seed = 0;
function nextSeed(): number {
  seed += 1;
  return seed;
}

for (const [name, makePlace] of Object.entries(PLACES)) {
  testEngineContract(name, makePlace);
  testLogContract(name, makePlace);
}
