/**
 * The test of the tests on real processes: deliberate errors, and the scenario that must fail with each. Some are those that
 * the simulator must find as well; the others are of parts that the simulator does not have: clocks, files, sockets, exits.
 */
import { allPlantedBugs, type PlantedBug } from "@holdfast/simulator";

/** An error as `PlantedBug` has it, without what concerns seeds. */
export type RealBug = Omit<PlantedBug, "seedsMax">;

export interface RealPlantedBug {
  readonly bug: RealBug;
  /** Names the suite. */
  readonly suite: string;
  /** The scenario that must fail is the one whose title contains this. */
  readonly only: string;
}

/** One of the simulator's. @throws Error if it has none of that name. */
function simulated(name: string, suite: string, only: string): RealPlantedBug {
  const bug = allPlantedBugs.find((candidate) => candidate.name === name);
  if (bug === undefined) throw new Error(`the simulator has no planted bug ${name}`);
  return { bug, suite, only };
}

/** Each of the guards against stalls is enough for what a real process can provoke; so all of them are taken away at once. */
const naiveTimer = {
  kind: "F13, I6",
  summary: "Leases are ended by a timer alone, as soon as it finds them due.",
  module: "replica/dist/leases.js",
  find: "this.#clock = new LeaseClock(() => options.environment.nowMs(), options.limits.leaseTickMs);",
  replace:
    "const now = () => options.environment.nowMs(); this.#clock = { read: now, tick: () => { this.#endDue(now()); return false; } };",
};

const directWrite = { kind: "F2, I1", module: "log/dist/file/direct-writes.js", find: "| O_DIRECT | O_DSYNC;" };
const cutWhileDirect = { suite: "power-cut", only: "appends that go past the cache" };

export const realPlantedBugs: readonly RealPlantedBug[] = [
  {
    bug: {
      ...directWrite,
      name: "direct-writes-in-the-cache",
      summary: "What is appended directly is in the system's cache only.",
      replace: ";",
    },
    ...cutWhileDirect,
  },
  {
    bug: {
      ...directWrite,
      name: "direct-writes-in-the-disk-cache",
      summary: "What is appended directly gets no further than the disk's own cache.",
      replace: "| O_DIRECT;",
    },
    ...cutWhileDirect,
  },
  simulated("answer-before-sync", "power-cut", "appends that go through the cache"),
  simulated("youngest-waiter-granted", "kill", "killed at random moments"),
  simulated("refresh-counts-half", "stalls", "a lock holder stands still"),
  simulated("previous-pair-of-now", "operations", "asked to stop under load"),
  simulated("sync-tried-again", "disk", "a sync that fails once"),
  simulated("failed-sync-refused", "disk", "every sync fails"),
  simulated("no-checksum-on-read", "disk", "a flipped bit"),
  simulated("slow-watcher-loses-events", "network", "read nothing"),
  simulated("entry-behind-snapshot-skipped", "operations", "one write behind a snapshot"),
  { bug: { name: "naive-lease-timer", ...naiveTimer }, suite: "stalls", only: "stands still for three TTLs" },
  { bug: { name: "naive-lease-timer-in-bursts", ...naiveTimer }, suite: "stalls", only: "runs in short bursts" },
  {
    bug: {
      name: "answer-before-slow-sync",
      kind: "F8, I1",
      summary: "An append is answered once it is written, before it is synced.",
      module: "log/dist/file/record-writer.js",
      find: 'file.syncThen("append.sync", this.#synced);',
      replace: "this.#environment.defer(() => this.#synced(undefined));",
    },
    suite: "disk",
    only: "syncs of 300 ms",
  },
  {
    bug: {
      name: "no-alarm-when-full",
      kind: "F6",
      summary: "A full disk raises no alarm.",
      module: "replica/dist/replica.js",
      find: "this.beforeFullIsTold(refuse);",
      replace: "refuse();",
    },
    suite: "disk",
    only: "(tmpfs)",
  },
  {
    bug: {
      name: "waiting-unbounded",
      kind: "F8, I12",
      summary: "Any number of proposals may wait.",
      module: "replica/dist/limits.js",
      find: "waitingProposals: 20_000",
      replace: "waitingProposals: 20_000_000",
    },
    suite: "disk",
    only: "LIMIT waitingProposals",
  },
  {
    bug: {
      name: "folder-not-locked",
      kind: "F9",
      summary: "A second server may open the folder.",
      module: "log/dist/file/folder-lock.js",
      find: 'codeOf(error) === "EADDRINUSE" ? new LogFolderLockedError(folder) : error',
      replace: "undefined",
    },
    suite: "disk",
    only: "a second server on the folder:",
  },
  {
    bug: {
      name: "newer-format-read",
      kind: "F9, F61",
      summary: "Files of a newer version are read as if they were of this one.",
      module: "log/dist/file/file-header.js",
      find: "version !== FORMAT_VERSION",
      replace: "version < FORMAT_VERSION",
    },
    suite: "disk",
    only: "data of a newer version",
  },
  {
    bug: {
      name: "format-changed-in-place",
      kind: "F63",
      summary: "The format has changed, and files of the old one are not read any more.",
      module: "log/dist/file/file-header.js",
      find: "FORMAT_VERSION = 1",
      replace: "FORMAT_VERSION = 2",
    },
    suite: "operations",
    only: "every released format",
  },
  {
    bug: {
      name: "leases-live-too-long",
      kind: "F19, I14",
      summary: "Leases live three times as long as they should.",
      module: "replica/dist/lease-deadlines.js",
      find: "timer.deadlineMs = Math.max(timer.deadlineMs, clockMs + timer.ttlSeconds * 1000);",
      replace: "timer.deadlineMs = clockMs + timer.ttlSeconds * 3000;",
    },
    suite: "stalls",
    only: "a lock holder stands still",
  },
  {
    bug: {
      name: "lease-clock-is-wall-clock",
      kind: "F11, I6",
      summary: "The lease clock follows the wall clock.",
      module: "replica/dist/lease-clock.js",
      find: "return Math.min(Math.max(nowMs - this.#lastTickMs, 0), this.#advanceMaxMs);",
      replace:
        "const wall = Date.now(); const step = wall - (this.wall ?? wall); this.wall = wall; return Math.max(step, nowMs - nowMs);",
    },
    suite: "clock",
    only: "the wall clock jumps",
  },
  {
    bug: {
      name: "leases-end-with-the-life",
      kind: "F12, I6",
      summary: "After a start leases have a second left instead of all their TTL.",
      module: "replica/dist/leases.js",
      find: "ttlSeconds: Math.max(ttlSeconds, ttlMinSeconds) }",
      replace: "ttlSeconds: 1 }",
    },
    suite: "clock",
    only: "the monotonic clock",
  },
  {
    bug: {
      name: "half-open-never-found",
      kind: "F19",
      summary: "A connection whose peer is silent is never given up.",
      module: "transport/dist/http2/keepalive.js",
      find: 'this.#limits.keepaliveTimeoutMs ? "nothing" : "dead"',
      replace: 'this.#limits.keepaliveTimeoutMs ? "nothing" : "nothing"',
    },
    suite: "network",
    only: "cable is pulled; the next waiter",
  },
  {
    bug: {
      name: "costly-connections",
      kind: "F25, I12",
      summary: "Every connection keeps a large buffer from its beginning.",
      module: "server/dist/net/listener.js",
      find: "counters.accepted++;",
      replace: "counters.accepted++; raw.ballast = Buffer.alloc(65536, 1);",
    },
    suite: "network",
    only: "9,900 connections",
  },
  {
    bug: {
      name: "slow-accept",
      kind: "F25, I12",
      summary: "Accepting a connection blocks the event loop.",
      module: "server/dist/net/listener.js",
      find: "counters.accepted++;",
      replace: "counters.accepted++; for (const end = performance.now() + 120; performance.now() < end; );",
    },
    suite: "network",
    only: "come and go",
  },
  {
    bug: {
      name: "no-reserved-handles",
      kind: "F25",
      summary: "The log has no file handles kept back.",
      module: "log/dist/limits.js",
      find: "HANDLES_RESERVED = 16",
      replace: "HANDLES_RESERVED = 0",
    },
    suite: "network",
    only: "runs out of descriptors",
  },
  {
    bug: {
      name: "restore-in-place",
      kind: "F62, I5",
      summary: "A restored store goes on from the revision of the backup.",
      module: "server/dist/snapshot-file/restore.js",
      find: "revisionStepDefault = 1_000_000_000",
      replace: "revisionStepDefault = 0",
    },
    suite: "operations",
    only: "tokens are higher than ever",
  },
];
