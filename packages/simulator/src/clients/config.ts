/** How many clients of which kind there are, and how they behave. Small numbers on purpose: clients must collide. */

/** The kinds of clients. */
export const roleNames = [
  "register",
  "transaction",
  "watcher",
  "lease",
  "careful-lock",
  "careless-lock",
  "contender",
  "careful-candidate",
  "careless-candidate",
  "observer",
  "administrator",
  "accounts",
  "rude",
] as const;

export type RoleName = (typeof roleNames)[number];

export interface ClientsConfig {
  /** One client each; a name may come several times. */
  readonly roles: readonly RoleName[];
  /** Keys of the store that all share, at most 10. */
  readonly keys: number;
  /** Names of locks, and as many of elections, at most 3. */
  readonly names: number;
  /** Mean pause of a client between two things it does. */
  readonly thinkMs: number;
  /** Deadline of calls that do not wait for anybody else. */
  readonly deadlineMs: number;
  /** Longest deadline of calls that wait in a queue: Lock and Campaign. */
  readonly waitMs: number;
  /** TTLs of leases that nobody means to keep for long. The server raises what is below its minimum. */
  readonly ttlSecondsMin: number;
  readonly ttlSecondsMax: number;
  /** Length of the values that are at the limit; most are as short as can be. */
  readonly valueBytesMax: number;
  /** How likely a value is longer than one sector of a disk, so that writing it can be torn. */
  readonly longValueChance: number;
  /** Length of values that are over the limit. Not longer than it takes: pieces of a few bytes make it expensive. */
  readonly tooLargeBytes: number;
  /** Mean pause before dialing again. */
  readonly redialMs: number;
  /** How long the one who comes after a killed client waits. */
  readonly rebirthMs: number;
  /** Calls that one client makes before it rests until the faults are over. Keeps histories short enough for a search. */
  readonly callsPerClientMax: number;
  /** Whether clients may kill or pause themselves; the world can do that to them in any case. */
  readonly mayVanish: boolean;
}

export const defaultClientsConfig: ClientsConfig = {
  roles: roleNames,
  keys: 7,
  names: 2,
  thinkMs: 200,
  deadlineMs: 3_000,
  waitMs: 12_000,
  ttlSecondsMin: 2,
  ttlSecondsMax: 6,
  valueBytesMax: 4_096,
  longValueChance: 0.05,
  tooLargeBytes: 12 * 1_024,
  redialMs: 200,
  rebirthMs: 1_000,
  callsPerClientMax: Number.POSITIVE_INFINITY,
  mayVanish: true,
};
