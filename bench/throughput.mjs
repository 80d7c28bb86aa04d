/**
 * Throughput and latency under load: the same h2load runs against every server, in interleaved rounds, each answer
 * accounted for.
 *
 * h2load sees only HTTP status codes, and a gRPC error is an HTTP 200. So every run is checked from outside: after a run
 * of Puts the store's revision must have advanced by exactly the number of calls, and after a run of Ranges the bytes
 * received must be exactly those of so many right answers.
 */

import { median, percentile, readable, table } from "./figures.mjs";
import { encodePut, encodeRange, methods } from "./grpc.mjs";
import { runLoad } from "./h2load.mjs";

const key = "benchmark-key-16";
const value = "v".repeat(128);

/** What is measured. `writes`: every call advances the revision by one. */
const shapes = [
  { connections: 1, streams: 100 },
  { connections: 10, streams: 100 },
];
const operations = [
  { name: "put", path: methods.put, message: encodePut(key, value), writes: true },
  { name: "range", path: methods.range, message: encodeRange(key), writes: false },
];

/** The loads of the named operations (all without names). */
export function workloads(only) {
  return operations
    .filter(({ name }) => only === undefined || only.includes(name))
    .flatMap((operation) =>
      shapes.map((shape) => ({
        ...operation,
        ...shape,
        label: `${operation.name}, ${shape.connections} × ${shape.streams}`,
      })),
    );
}

/**
 * Measures one load on every subject (`{ server, client }`): warm-up, then `rounds` rounds of about `seconds` seconds.
 * The order changes every round, so that nobody always runs on the heels of the other.
 * @returns per server name: the samples of all rounds.
 * @throws Error when a server answered anything but what was asked.
 */
export async function measureLoad(subjects, load, { rounds, seconds }) {
  const samples = Object.fromEntries(subjects.map(({ server }) => [server.name, []]));
  const speeds = new Map();
  for (const subject of subjects) speeds.set(subject, await warmUp(subject, load));
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? subjects : [...subjects].reverse();
    for (const subject of order) {
      const sample = await measureRound(subject, load, speeds.get(subject), seconds);
      speeds.set(subject, sample.perSecond);
      samples[subject.server.name].push(sample);
    }
  }
  return samples;
}

/** Makes the key exist and the server warm; returns its speed. */
async function warmUp(subject, load) {
  await subject.client.put(key, value);
  const { perSecond } = await checkedRun(subject, load, 5000);
  return (await checkedRun(subject, load, requestsFor(perSecond, 1.5))).perSecond;
}

/** One round: a run for speed and processor time, a shorter one for latencies, and the history dropped. */
async function measureRound(subject, load, speed, seconds) {
  const { server, client } = subject;
  const requests = requestsFor(speed, seconds);
  const cpuBefore = server.cpuSeconds();
  const { perSecond } = await checkedRun(subject, load, requests);
  const cpuSeconds = server.cpuSeconds() - cpuBefore;
  const { latenciesMs } = await checkedRun(subject, load, requestsFor(speed, seconds / 3), { latencies: true });
  // Otherwise the later rounds would measure a longer history than the earlier ones.
  if (load.writes) await client.compact((await client.range(key)).revision);
  return {
    perSecond,
    cpuSecondsPerMillion: (cpuSeconds / requests) * 1e6,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
  };
}

function requestsFor(perSecond, seconds) {
  return Math.max(1000, Math.round((perSecond * seconds) / 1000) * 1000);
}

/**
 * One run of the load generator between two looks at the store.
 * @throws Error when the store, or the amount of answers, does not show what was asked of it.
 */
export async function checkedRun({ server, client }, load, requests, options, generate = runLoad) {
  const before = await client.range(key);
  const result = await generate(server.port, load, requests, options);
  const after = await client.range(key);
  const expectedRevision = before.revision + (load.writes ? requests : 0);
  if (after.revision !== expectedRevision || after.value.toString() !== value) {
    throw new Error(`${server.name}: revision ${after.revision} after ${load.label}, expected ${expectedRevision}`);
  }
  const expectedBytes = requests * (before.answerBytes + 5);
  if (!load.writes && result.dataBytes !== expectedBytes) {
    throw new Error(`${server.name}: ${result.dataBytes} bytes of answers to ${load.label}, expected ${expectedBytes}`);
  }
  return result;
}

/** Sums up the rounds of one server. */
export function summarize(samples) {
  const of = (name) => samples.map((sample) => sample[name]);
  return {
    perSecond: median(of("perSecond")),
    perSecondMin: Math.min(...of("perSecond")),
    perSecondMax: Math.max(...of("perSecond")),
    cpuSecondsPerMillion: median(of("cpuSecondsPerMillion")),
    p50Ms: median(of("p50Ms")),
    p99Ms: median(of("p99Ms")),
  };
}

/**
 * The table over all loads. `results`: label and samples by server name; `names`: the servers, the one compared with
 * first. The ratio is the median of the ratios of the rounds, with the smallest and the largest.
 */
export function throughputTable(results, names) {
  const header = [
    "calls per second",
    ...names,
    ...(names.length === 2 ? ["ratio (min–max)"] : []),
    ...names.map((name) => `${name} p50 / p99 ms`),
    ...names.map((name) => `${name} CPU s per million`),
  ];
  const rows = results.map(({ label, samples }) => {
    const summaries = names.map((name) => summarize(samples[name]));
    return [
      label,
      ...summaries.map(({ perSecond }) => readable(perSecond)),
      ...(names.length === 2 ? [ratios(samples[names[0]], samples[names[1]])] : []),
      ...summaries.map(({ p50Ms, p99Ms }) => `${readable(p50Ms)} / ${readable(p99Ms)}`),
      ...summaries.map(({ cpuSecondsPerMillion }) => readable(cpuSecondsPerMillion)),
    ];
  });
  return table(header, rows);
}

/** How many times as fast as `first` `second` was, round by round. */
function ratios(first, second) {
  const all = second.map((sample, round) => sample.perSecond / first[round].perSecond);
  return `${readable(median(all))} (${readable(Math.min(...all))}–${readable(Math.max(...all))})`;
}
