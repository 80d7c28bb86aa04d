/**
 * How long until a server answers: on an empty folder, and after a kill with many keys to restore.
 *
 * Ready means the first linearizable read is answered; after a restore, that it counts every key that was acknowledged.
 */

import { median, readable, table } from "./figures.mjs";
import { Client } from "./grpc.mjs";
import { freePorts, Server } from "./servers.mjs";

const value = "v".repeat(128);
const writersAtOnce = 250;

/** Measures every launch, `rounds` times, taking turns; `folderOf` gives each its data folder. */
export async function measureStartup(launches, folderOf, { rounds, keys }) {
  const samples = Object.fromEntries(launches.map(({ name }) => [name, { emptyMs: [], restoreMs: [] }]));
  for (let round = 0; round < rounds; round += 1) {
    for (const launch of launches) {
      samples[launch.name].emptyMs.push(await timeEmptyStart(launch, folderOf(launch)));
    }
  }
  for (const launch of launches) {
    samples[launch.name].restoreMs = await timeRestores(launch, folderOf(launch), rounds, keys);
  }
  return samples;
}

async function timeEmptyStart(launch, folder) {
  const startMs = performance.now();
  const server = await Server.start(launch, folder);
  const elapsedMs = performance.now() - startMs;
  await server.stop();
  return elapsedMs;
}

/** Loads `keys` keys, one write each, then kills and restarts the server as often as asked. */
async function timeRestores(launch, folder, rounds, keys) {
  let server = await Server.start(launch, folder);
  await loadKeys(server.port, keys);
  const timesMs = [];
  for (let round = 0; round < rounds; round += 1) {
    await server.stop("SIGKILL");
    const ports = await freePorts(2);
    const startMs = performance.now();
    server = new Server(launch, folder, ports);
    await server.ready(async (client) => (await client.range("key-", "key.")).count === keys);
    timesMs.push(performance.now() - startMs);
  }
  await server.stop();
  return timesMs;
}

async function loadKeys(port, keys) {
  const client = await Client.connect(port);
  for (let first = 0; first < keys; first += writersAtOnce) {
    const names = Array.from({ length: Math.min(writersAtOnce, keys - first) }, (_, index) => first + index);
    await Promise.all(names.map((number) => client.put(`key-${String(number).padStart(8, "0")}`, value)));
  }
  client.close();
}

/** The table of medians, in milliseconds. */
export function startupTable(samples, names, keys) {
  return table(
    ["ms until ready", ...names],
    [
      ["empty folder", ...names.map((name) => readable(median(samples[name].emptyMs)))],
      [`${readable(keys)} keys after a kill`, ...names.map((name) => readable(median(samples[name].restoreMs)))],
    ],
  );
}
