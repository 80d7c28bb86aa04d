/**
 * Leaders that come and go before observers. etcd 3.7.1 stops electing when there are about thirty observers or more (its
 * issues 18879 and 20716): then a round ends after seconds, with the figure 0, and the next one begins with a new election.
 */
import { Connections } from "../load/connections.js";
import { measureUsage, type Used } from "../load/usage.js";
import { ElectionStalled, Rotation } from "../locks/rotation.js";
import type { Server } from "../servers/server.js";
import type { Bench, Load, Sample, Workload } from "../workload.js";

const connectionCount = 10;
const warmUpSeconds = 0.5;

/** An election with its observers, which is given up when it stalls. */
class Election {
  readonly #server: Server;
  readonly #observers: number;
  #number = 0;
  #connections: Connections | undefined;
  #rotation: Rotation | undefined;

  constructor(server: Server, observers: number) {
    this.#server = server;
    this.#observers = observers;
  }

  /** One round; undefined when the server stalled. */
  async run(seconds: number) {
    try {
      this.#rotation ??= await this.#begin();
      const used = measureUsage(this.#server);
      const done = await this.#rotation.run(seconds);
      return { ...done, usage: used() };
    } catch (error) {
      if (!(error instanceof ElectionStalled)) throw error;
      this.close();
      return undefined;
    }
  }

  close(): void {
    this.#connections?.close();
    this.#rotation = undefined;
  }

  async #begin(): Promise<Rotation> {
    this.#connections = await Connections.open(this.#server, connectionCount);
    this.#number += 1;
    const name = `election-${this.#observers}-${this.#number}`;
    const rotation = await Rotation.prepare(this.#connections, name, this.#observers);
    await rotation.run(warmUpSeconds);
    return rotation;
  }
}

const nothingUsed: Used = { serverCpuSeconds: 0, driverCpuSeconds: 0 };
const stalled: Sample = { figure: 0, operations: 0, ...nothingUsed };

async function open(bench: Bench, observers: number): Promise<Load> {
  const election = new Election(await bench.start(), observers);
  return {
    round: async () => {
      const done = await election.run(bench.seconds);
      if (done === undefined) return stalled;
      const { operations, seconds, latencies, usage } = done;
      return { figure: operations / seconds, operations, ...usage, ...latencies.percentiles() };
    },
    close: async () => election.close(),
  };
}

/** Two elections on the same server, each in half of the round. */
async function openBoth(bench: Bench, few: number, many: number): Promise<Load> {
  const server = await bench.start();
  const elections = [new Election(server, few), new Election(server, many)];
  return {
    round: async () => {
      const [ofFew, ofMany] = [await elections[0]?.run(bench.seconds / 2), await elections[1]?.run(bench.seconds / 2)];
      if (ofFew === undefined || ofMany === undefined) return stalled;
      const figure = ofMany.operations / ofMany.seconds / (ofFew.operations / ofFew.seconds);
      // What both together use is no figure of either.
      return { figure, operations: 0, ...nothingUsed };
    },
    close: async () => {
      for (const election of elections) election.close();
    },
  };
}

function campaignWorkload(observers: number): Workload {
  return {
    name: `campaign/resign ${observers.toLocaleString("en")} observers`,
    group: "campaign",
    unit: "leaders/s",
    goal: { ratio: 8, sense: "at least" },
    open: (bench) => open(bench, observers),
  };
}

export const campaignWorkloads: readonly Workload[] = [
  campaignWorkload(10),
  campaignWorkload(100),
  campaignWorkload(1000),
  {
    name: "campaign/resign 1,000 / 10 observers",
    group: "campaign",
    unit: "rate/rate",
    goal: { ratio: 0.5, sense: "at least", isOfOwnFigure: true },
    isHoldfastAlone: true,
    open: (bench) => openBoth(bench, 10, 1000),
  },
];
