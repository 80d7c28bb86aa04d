/**
 * What one run is like: which clients there are, which faults strike how often, and limits of silly sizes, all picked by
 * the seed. Each run has some faults only, so that every pair of them meets alone at times.
 */
import type { LogLimits } from "@holdfast/log";
import type { ServerOptions } from "@holdfast/server";
import { type ClientsConfig, defaultClientsConfig, roleNames } from "../clients/config.js";
import type { DiskSettings } from "../world/disk.js";
import type { NetworkSettings } from "../world/network.js";
import { SeededRandom } from "../world/random.js";
import { type FaultName, faultNames, haltFaults } from "./fault-names.js";

export interface RunConfig {
  readonly seed: number;
  /** What the run must end with: all well, or a server that refuses to go on (fault model, I11). */
  readonly expected: "survive" | "halt";
  /** Which faults strike, and the mean virtual time between two strikes of each. */
  readonly faults: Readonly<Partial<Record<FaultName, number>>>;
  /** Virtual length of the phase with faults. */
  readonly safetyMs: number;
  readonly clients: ClientsConfig;
  readonly network: NetworkSettings;
  readonly disk: DiskSettings;
  readonly server: Pick<
    ServerOptions,
    "serviceLimits" | "replicaLimits" | "transportLimits" | "autoCompaction" | "quotaBytes"
  >;
  readonly log: Partial<LogLimits>;
}

/** Once in so many runs the disk rots, and the server must refuse. */
const haltOneIn = 20;

export function configOf(seed: number): RunConfig {
  const random = new SeededRandom(seed).fork("swarm");
  const expected = random.fork("expected").below(haltOneIn) === 0 ? "halt" : "survive";
  return {
    seed,
    expected,
    faults: faultsOf(random.fork("faults"), expected),
    safetyMs: random.fork("length").between(15, 60) * 1_000,
    clients: clientsOf(random.fork("clients")),
    network: networkOf(random.fork("network")),
    disk: {
      operationMs: random.fork("disk").pick([0.02, 0.1, 0.5, 3]),
      isDirect: random.fork("direct").chance(0.5),
    },
    ...tunablesOf(random.fork("tunables")),
  };
}

function faultsOf(random: SeededRandom, expected: RunConfig["expected"]): RunConfig["faults"] {
  const faults: Partial<Record<FaultName, number>> = {};
  if (expected === "halt") faults[random.pick(haltFaults)] = 3_000;
  const share = random.pick([0, 0.2, 0.4, 0.7]);
  for (const name of faultNames) {
    const own = random.fork(name);
    if (!haltFaults.includes(name) && own.chance(share)) faults[name] = own.pick([2_000, 5_000, 12_000]);
  }
  return faults;
}

function clientsOf(random: SeededRandom): ClientsConfig {
  // A run of few kinds of clients goes deeper than one of all.
  const kinds = random.shuffled(roleNames).slice(0, random.between(2, 8));
  const roles = Array.from({ length: random.between(3, 9) }, () => random.pick(kinds));
  return {
    ...defaultClientsConfig,
    roles,
    keys: random.between(2, 8),
    names: random.between(1, 2),
    thinkMs: random.pick([30, 100, 300, 1_000]),
    callsPerClientMax: random.pick([25, 100, 400]),
    longValueChance: random.pick([0.05, 0.05, 0.4]),
  };
}

function networkOf(random: SeededRandom): NetworkSettings {
  return {
    latencyMs: random.pick([0.1, 1, 10]),
    spikeChance: random.pick([0, 0.01, 0.1]),
    pieceBytesMax: random.pick([7, 64, 1_024, 65_536, 65_536, 65_536]),
    windowBytes: random.pick([1_024, 16_384, 262_144]),
    connectTimeoutMs: 3_000,
  };
}

function tunablesOf(random: SeededRandom): Pick<RunConfig, "server" | "log"> {
  const segmentBytes = random.pick([4, 16, 64]) * 1_024;
  return {
    server: {
      serviceLimits: {
        requestBytes: 8 * 1_024,
        watchFragmentBytes: random.pick([256, 2_048, 65_536]),
        watchProgressIntervalMs: random.pick([500, 3_000, 60_000]),
        leaseTtlMinSeconds: random.pick([1, 2]),
        keepAlivesWaiting: random.pick([2, 1_000]),
      },
      replicaLimits: {
        waitingProposals: random.pick([5, 50, 20_000]),
        batchOperations: random.pick([1, 3, 1_000]),
        expirySlice: random.pick([1, 500]),
        catchUpRevisions: random.pick([1, 3, 1_000]),
        catchUpResponses: random.pick([1, 16]),
        lockFillingKeys: random.pick([1, 6_000]),
        snapshotAfterBytes: random.pick([5_000, 25_000, 200_000]),
        sweepItems: random.pick([1, 1_000]),
        stopSnapshotAfterCommands: random.fork("stops").pick([1, 100, 20_000]),
      },
      transportLimits: {
        keepaliveIdleMs: random.pick([2_000, 10_000]),
        keepaliveTimeoutMs: random.pick([1_000, 5_000]),
        stalledAnswerMs: random.pick([4_000, 20_000]),
        callHighWaterBytes: random.pick([256, 4_096, 262_144]),
        callLowWaterBytes: 128,
      },
      // About twenty revisions of history, where it is compacted by itself at all.
      ...(random.chance(0.4) ? { autoCompaction: { mode: "periodic", retentionMs: random.pick([1_000, 5_000]) } } : {}),
    },
    log: {
      entryBytesMax: 12 * 1_024,
      segmentBytesFirst: segmentBytes,
      segmentBytesMax: 2 * segmentBytes,
      // No segment is smaller than this and the largest entry together.
      reservedBytes: random.pick([2, 8, 64]) * 1_024,
      readSliceBytes: random.pick([4_096, 65_536]),
      writeSliceBytes: random.pick([512, 65_536]),
      zeroSliceBytes: random.pick([4_096, 65_536]),
      durableNoteIntervalMs: random.pick([20, 100]),
    },
  };
}
