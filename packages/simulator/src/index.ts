/** The door of the simulator: histories and their checks, also for histories of real servers, and runs from a seed. */
export * from "./checks/index.js";
// The clients and what they need of a world, for worlds made of real processes.
export { type Clients, type ClientsConfig, defaultClientsConfig, startClients } from "./clients/index.js";
export type * from "./history/calls.js";
export type * from "./history/history.js";
export type * from "./history/holds.js";
export type * from "./history/moment.js";
export type * from "./history/watches.js";
// Bugs to plant, for the test of the tests on real processes.
export { allPlantedBugs, notPlanted } from "./planted/all-planted-bugs.js";
export type { PlantedBug } from "./planted/planted-bug.js";
export { parseCommand, type SimulateCommand, usage } from "./run/command.js";
export { type FaultName, faultNames } from "./run/fault-names.js";
export { commandFor, type Overrides, overriddenConfig } from "./run/overrides.js";
export { Report, type Result, type SeedSummary } from "./run/report.js";
export { configOf, type RunConfig } from "./run/swarm.js";
export { runSeed, type SeedOptions } from "./run/worker.js";
export { SeededRandom } from "./world/random.js";
export type { Party, World } from "./world/world.js";
