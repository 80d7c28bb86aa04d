/**
 * What cannot be derived from results: why a fault cannot occur yet, and why one of its four boxes (fault model, section 13)
 * stays empty. A reason is a statement that a reader can check, not an excuse.
 */

const severalMachines = "needs a log on other machines, which there is not yet";

/** Faults that this version cannot have. */
export const notYet = {
  F51: severalMachines,
  F52: severalMachines,
  F53: severalMachines,
  F54: severalMachines,
  F55: severalMachines,
  F56: severalMachines,
  F57: severalMachines,
  F58: severalMachines,
  F59: severalMachines,
  F60: severalMachines,
  F61: "needs two versions of the program on one log; that a newer format is refused is part of F9 and F63",
};

const bytesBelow = "the simulator speaks honest HTTP/2; wrong bytes are the business of the attack and fuzz suites";
const oneProcess = "concerns the process or the machine, of which the simulator has none";

/** Why the simulator has no coverage mark for a fault. */
export const withoutMark = {
  F9: oneProcess,
  F10: "a pure function; random commands are applied by the unit tests and the fuzzers",
  F11: "no code but the log lines can read a wall clock: the import table refuses it",
  F14: oneProcess,
  F15: "a pure function of deadlines; unit tests reach the longest ones",
  F16: oneProcess,
  F17: oneProcess,
  F18: "names and ids from the list are what its clients use in every run; there is nothing to reach once",
  F25: bytesBelow,
  F26: bytesBelow,
  F28: bytesBelow,
  F29: bytesBelow,
  F30: bytesBelow,
  F31: bytesBelow,
  F32: bytesBelow,
  F33: bytesBelow,
  F34: bytesBelow,
  F35: bytesBelow,
  F36: bytesBelow,
  F37: bytesBelow,
  F38: bytesBelow,
  F39: bytesBelow,
  F40: bytesBelow,
  F41: bytesBelow,
  F42: bytesBelow,
  F43: bytesBelow,
  F44: bytesBelow,
  F45: bytesBelow,
  F46: "a matter of time, which the simulator has none of",
  F47: "a table of calls and callers, tested as a whole by unit tests",
  F48: "a table of roles and operations, tested at random by unit tests",
  F49: "a matter of the processor, which the simulator has none of",
  F50: "a matter of what a process prints and of the modes of files",
  F62: "an operation on files while no server runs",
};

const pure = "a pure function, tested as such";

/** Why no test on a real process is there, though section 5 names none either. */
export const withoutReal = {
  F3: "section 5 asks for all cases, which only a disk in memory can be taken through",
  F10: pure,
  F15: pure,
  F18: pure,
  F46: pure,
};

const measuredWithout = "the limit itself is what is tested; section 5 says what happens to a server without it";
const plantedInTests = (what) => `tests of their own plant ${what}`;
const tableOfCases = "each row of the table is a planted fault, and is seen to be refused";

/** Why no planted bug of the kind is there. */
export const withoutPlanted = {
  F9: tableOfCases,
  F10: plantedInTests("an entry that throws when it is applied, and see the server halt"),
  F11: "a wall clock cannot be planted: the import table refuses it",
  F14: measuredWithout,
  F15: measuredWithout,
  F16: measuredWithout,
  F17: plantedInTests("errors that nobody catches in a running server, and see it stop"),
  F25: measuredWithout,
  F26: measuredWithout,
  F28: measuredWithout,
  F29: measuredWithout,
  F30: measuredWithout,
  F31: measuredWithout,
  F32: measuredWithout,
  F33: measuredWithout,
  F34: measuredWithout,
  F35: measuredWithout,
  F36: measuredWithout,
  F37: measuredWithout,
  F38: measuredWithout,
  F39: measuredWithout,
  F40: measuredWithout,
  F41: "what stays behind is counted against a base line after each of very many inputs",
  F42: tableOfCases,
  F43: "h2spec is the work of others, and finds what it looks for in servers that have it",
  F44: measuredWithout,
  F45: measuredWithout,
  F46: measuredWithout,
  F47: tableOfCases,
  F48: "random operations are held against a second reckoning of the rights: one without the check of previous values or of nested operations was found",
  F49: measuredWithout,
  F50: "the canaries are planted secrets, and are found where they may be",
};

/** Planted bugs that are of a fault's kind besides those that name it. */
export const plantedAlso = {
  F1: ["snapshot-of-a-later-state"],
  F8: ["answer-before-sync"],
  F12: ["lease-clock-counts-stalls"],
  F19: ["last-key-outlives-lease"],
  F22: ["refresh-counts-half", "lease-refreshed-after-its-end"],
  F23: ["failed-sync-refused"],
  F24: ["dead-waiter-granted"],
  F27: ["youngest-waiter-granted", "compacted-read-answered"],
  F62: ["token-from-header"],
  F63: ["entry-behind-snapshot-skipped"],
};

/** Coverage marks that are of a fault's kind besides those that name it. */
export const marksAlso = {
  F21: ["watcher-overtaken", "watch-resumed"],
  F22: ["watch-resumed"],
  F23: ["call-unknown"],
  F24: ["call-unknown", "lock-waited"],
  F27: ["call-unknown"],
};
