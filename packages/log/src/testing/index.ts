/**
 * What other packages' tests, and the simulator, may use of this package's: a disk that forgets, tears and fails on command, and
 * threads that are busy.
 */
export { BlockedPool } from "./blocked-pool.js";
export { type CrashMode, type Fault, type FaultPlan, type Pace, SimulatedDisk } from "./simulated-disk.js";
