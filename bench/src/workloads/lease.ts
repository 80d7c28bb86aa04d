/** Leases: granted, renewed as fast as they can be, and kept alive at the pace of their clients. */
import { Grants } from "../leases/grants.js";
import { KeptAliveLeases } from "../leases/kept-alive.js";
import { Renewals } from "../leases/renewals.js";
import { Connections } from "../load/connections.js";
import { rateSample } from "../load/round-done.js";
import type { Bench, Load, Workload } from "../workload.js";

const connectionsMax = 10;
const grantsInFlight = 100;
const warmUpSeconds = 0.7;

async function openGrants(bench: Bench): Promise<Load> {
  const server = await bench.start();
  const connections = await Connections.open(server, connectionsMax);
  const load = new Grants(connections, grantsInFlight);
  await load.run(warmUpSeconds);
  return {
    round: () => load.checked(() => rateSample(server, () => load.run(bench.seconds))),
    close: async () => connections.close(),
  };
}

async function openRenewals(bench: Bench, streams: number, leasesPerStream: number): Promise<Load> {
  const server = await bench.start();
  const connections = await Connections.open(server, Math.min(streams, connectionsMax));
  const load = await Renewals.prepare(connections, streams, leasesPerStream);
  await load.run(warmUpSeconds);
  return {
    round: () => rateSample(server, () => load.run(bench.seconds)),
    close: async () => connections.close(),
  };
}

/** Processor times are counted in steps of ten milliseconds: a short round would show little of them. */
const keptAlive = { count: 100_000, ttlSeconds: 60, secondsMin: 4 };
const keptAliveQuick = { count: 10_000, ttlSeconds: 9, secondsMin: 2 };
const keptAliveStreams = 100;

async function openKeptAlive(bench: Bench): Promise<Load> {
  const server = await bench.start();
  const connections = await Connections.open(server, connectionsMax);
  const size = bench.isQuick ? keptAliveQuick : keptAlive;
  const prepare = () => KeptAliveLeases.prepare(connections, { ...size, streams: keptAliveStreams });
  let load = await prepare();
  await load.run(warmUpSeconds);
  return {
    round: async () => {
      // While others were measured, some may have expired: then all are granted anew.
      if ((await load.renewAll()) > 0) {
        load.close();
        load = await prepare();
      }
      const seconds = Math.max(bench.seconds, size.secondsMin);
      const sample = await rateSample(server, () => load.run(seconds));
      return { ...sample, figure: sample.serverCpuSeconds / seconds };
    },
    close: async () => connections.close(),
  };
}

function renewalWorkload(streams: number, leasesPerStream: number): Workload {
  return {
    name: `keep-alive ${streams.toLocaleString("en")}×${leasesPerStream}`,
    group: "lease",
    unit: "answers/s",
    goal: { ratio: 2.5, sense: "at least" },
    open: (bench) => openRenewals(bench, streams, leasesPerStream),
  };
}

export const leaseWorkloads: readonly Workload[] = [
  {
    name: "lease grant 10×10",
    group: "lease",
    unit: "calls/s",
    goal: { ratio: 3, sense: "at least" },
    open: openGrants,
  },
  renewalWorkload(1, 100),
  renewalWorkload(100, 1),
  renewalWorkload(1000, 1),
  {
    name: "keep 100,000 leases alive (quick: 10,000)",
    group: "lease",
    unit: "CPU s/s",
    // To use so much less than etcd: 1 / 2.5.
    goal: { ratio: 0.4, sense: "at most" },
    open: openKeptAlive,
  },
];
