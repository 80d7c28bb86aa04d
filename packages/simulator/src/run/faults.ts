/** The faults of a run: each strikes at random, from its own stream of chance, until the run heals. */
import type { Owner } from "../world/owner.js";
import type { SeededRandom } from "../world/random.js";
import type { FaultName } from "./fault-names.js";
import type { RunParts } from "./run-parts.js";

/** One strike of a fault. */
type Strike = (parts: RunParts, random: SeededRandom) => void;

const strikes: Readonly<Record<FaultName, Strike>> = {
  kill: ({ node }) => node.kill("killed"),
  "power-cut": ({ node }) => node.kill("power-cut"),
  // The next operations are deadly with some chance, so that each kind of them is hit.
  "disk-crash": ({ disk }, random) => {
    disk.faults = { ...disk.faults, crash: random.pick([0.02, 0.2, 1]) };
  },
  "append-crash": ({ disk }, random) => {
    disk.faults = { ...disk.faults, appendCrash: random.pick([0.2, 1]) };
  },
  // Strikes when a life has just begun: see `Downtime`.
  "recovery-kill": () => {},
  "short-write": ({ disk }, random) => {
    disk.faults = { ...disk.faults, shortWrite: disk.faults.shortWrite > 0 ? 0 : random.pick([0.05, 0.3]) };
  },
  "no-space": ({ disk, scheduler }, random) => {
    disk.fullUntilMs = scheduler.nowMs + random.within(500, 8_000);
    disk.fullForAppends = random.chance(0.3);
  },
  "sync-error": ({ disk }, random) => {
    disk.faults = { ...disk.faults, syncError: random.pick([0.02, 0.3]) };
  },
  "write-error": ({ disk }, random) => {
    disk.faults = { ...disk.faults, writeError: random.pick([0.02, 0.3]) };
  },
  "slow-disk": ({ disk, scheduler, mark }, random) => {
    disk.slowUntilMs = scheduler.nowMs + random.within(500, 8_000);
    mark("slow-disk");
  },
  "server-pause": ({ node, note }, random) => {
    const ms = random.pick([50, 300, 2_000, 9_000]);
    note(`the server is paused for ${ms} ms`);
    node.pause(ms);
  },
  "server-freeze": ({ node, note, mark }, random) => {
    const ms = random.pick([300, 5_000, 20_000]);
    note(`the server and its clock stand still for ${ms} ms`);
    mark("clock-stood-still");
    node.pause(ms, true);
  },
  "client-pause": ({ world }, random) => {
    const { parties } = world;
    if (parties.length > 0) random.pick(parties).pause(random.pick([100, 1_500, 9_000]));
  },
  "client-kill": ({ world }, random) => {
    const { parties } = world;
    if (parties.length > 0) random.pick(parties).kill(random.chance(0.5));
  },
  partition: ({ world, network, note }, random) => {
    const { parties } = world;
    if (parties.length === 0) return;
    const { name } = random.pick(parties);
    const ms = random.pick([300, 2_000, 9_000]);
    note(`${name} and the server are parted for ${ms} ms`);
    network.partition(name, ms);
  },
  cut: ({ network, note }, random) => {
    const { connections } = network;
    if (connections.length === 0) return;
    const { client, server } = random.pick(connections);
    note(`the connection of ${client.owner.name} is cut`);
    random.pick([client, server]).cut(random.pick(["end", "reset"]));
  },
  clog: ({ network }, random) => {
    const { connections } = network;
    if (connections.length === 0) return;
    const { client, server } = random.pick(connections);
    random.pick([client, server]).clog(random.pick([200, 2_000, 9_000]));
  },
  "half-open": ({ network, note }, random) => {
    const { connections } = network;
    if (connections.length === 0) return;
    const { client, server } = random.pick(connections);
    const directions = random.pick([[client], [server], [client, server]]);
    note(`${directions.map(({ owner }) => owner.name).join(" and ")} sends into the void`);
    for (const socket of directions) socket.swallow();
  },
  "slow-reader": ({ network }, random) => {
    const { connections } = network;
    if (connections.length > 0) random.pick(connections).client.readSlowly(random.pick([20, 500, 3_000]));
  },
  "graceful-close": ({ node }) => node.close(),
  "snapshot-rot": rotSnapshot,
  "bit-rot": rot,
};

/** The server dies, and what it had synced is not what it was when it comes back. */
function rot({ disk, node, note }: RunParts, random: SeededRandom): void {
  // Well before the end: damage to the last record cannot be told from a torn tail (fault model, F3).
  const files = [...disk.disk.image()]
    .filter(([path]) => /log-\d+$/.test(path))
    .map(([path, bytes]) => ({ path, end: bytes.findLastIndex((byte) => byte !== 0) - 6_000 }))
    .filter(({ end }) => end > 0);
  if (files.length === 0 || node.state !== "serving") return;
  node.kill("killed");
  const { path, end } = random.pick(files);
  const position = random.below(end);
  note(`a bit of ${path} rots at ${position}`);
  disk.disk.rot(path, position, 1 << random.below(8));
}

/** The server dies, and the newest of its two snapshots is damaged when it comes back. Once in a run: the other one must do. */
function rotSnapshot(parts: RunParts, random: SeededRandom): void {
  const { disk, node, note } = parts;
  const paths = [...disk.disk.image().keys()].filter((path) => /snapshot-\d+$/.test(path)).sort();
  const newest = paths.at(-1);
  const rotted = parts.rotted;
  if (newest === undefined || paths.length < 2 || rotted.size > 0 || node.state !== "serving") return;
  rotted.add(newest);
  node.kill("killed");
  const bytes = disk.disk.image().get(newest)?.length ?? 0;
  const position = random.below(bytes);
  note(`a bit of ${newest} rots at ${position}`);
  disk.disk.rot(newest, position, 1 << random.below(8));
}

/** Has each of the run's faults strike again and again while `isOn`. */
export function startFaults(parts: RunParts, isOn: () => boolean): void {
  const { scheduler, config, random } = parts;
  for (const [name, meanMs] of Object.entries(config.faults) as [FaultName, number][]) {
    const own = random.fork(`fault ${name}`);
    planNext(parts, scheduler.world, { name, meanMs, random: own, isOn });
  }
}

interface Plan {
  readonly name: FaultName;
  readonly meanMs: number;
  readonly random: SeededRandom;
  readonly isOn: () => boolean;
}

function planNext(parts: RunParts, owner: Owner, plan: Plan): void {
  const { name, meanMs, random, isOn } = plan;
  parts.scheduler.after(random.wait(meanMs), "world", owner, () => {
    if (!isOn()) return;
    strikes[name](parts, random);
    planNext(parts, owner, plan);
  });
}
