/**
 * Who may import what: the table of the architecture, as data. `check-imports.mjs` enforces it.
 *
 * A package exists only where somebody must be unable to import something; a row that allows everything is a hint that
 * its package need not exist. One row per folder that holds sources:
 *
 * - `ours`: the packages of this workspace it may import.
 * - `testsMayUse`: further packages for its tests; `"any"` lifts the restriction for tests.
 * - `thirdParty`: whether it may have dependencies from the registry at all. The core has none.
 * - `builtins`: the Node.js modules it may import (`only`) or may not (`except`). Tests may import all of them.
 * - `globals`: names that bring in time, chance or the world behind the package's back.
 * - `environment`: the files to which `builtins` and `globals` do not apply: where the real thing is described,
 *   or (a folder, with a slash at its end) used.
 * - `reaches`: folders outside its own that relative imports may reach.
 * - `computed`: files that may import a module whose name is computed.
 *
 * A package's `tools/` folder runs when the package is built, not with it; its `src/testing/` folder and its benchmarks
 * serve tests and people. Their files may do what tests may.
 */

/** Time and chance are handed in, so that one seed can replay everything. */
const timeAndChance = [
  "Date",
  "performance",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "Math.random",
  "crypto",
  "globalThis",
];

const anyBuiltin = { except: [] };
const noBuiltin = { only: [] };
const noWorld = {
  except: [
    "child_process",
    "cluster",
    "dgram",
    "dns",
    "fs",
    "http",
    "http2",
    "https",
    "net",
    "perf_hooks",
    "timers",
    "tls",
    "worker_threads",
  ],
};

function row(ours, settings = {}) {
  return {
    ours,
    testsMayUse: [],
    thirdParty: false,
    builtins: anyBuiltin,
    globals: [],
    environment: ["src/environment.ts"],
    reaches: [],
    computed: [],
    ...settings,
  };
}

export const importRules = {
  "packages/protocol": row([], { builtins: noBuiltin, globals: timeAndChance }),
  "packages/transport": row([], { globals: timeAndChance }),
  "packages/state-machine": row(["@holdfast/protocol"], {
    builtins: noBuiltin,
    globals: [...timeAndChance, "Promise", "queueMicrotask", "process", "fetch"],
  }),
  "packages/log": row([], { globals: timeAndChance, environment: ["src/environment.ts", "src/file/"] }),
  "packages/log-postgres": row(["@holdfast/log"], { thirdParty: true }),
  "packages/log-nats": row(["@holdfast/log"], { thirdParty: true }),
  "packages/replica": row(["@holdfast/protocol", "@holdfast/state-machine", "@holdfast/log"], {
    builtins: { only: ["assert", "assert/strict"] },
    globals: [...timeAndChance, "process", "fetch"],
  }),
  "packages/server": row(
    ["@holdfast/replica", "@holdfast/transport", "@holdfast/protocol", "@holdfast/log", "@holdfast/state-machine"],
    { testsMayUse: "any", thirdParty: true },
  ),
  "packages/client": row(["@holdfast/transport", "@holdfast/protocol"], { testsMayUse: ["@holdfast/server"] }),
  "packages/holdfast": row(
    ["@holdfast/server", "@holdfast/client", "@holdfast/log", "@holdfast/log-postgres", "@holdfast/log-nats"],
    { testsMayUse: "any", thirdParty: true },
  ),
  "packages/console": row([], { thirdParty: true }),
  "packages/simulator": row(
    [
      "@holdfast/protocol",
      "@holdfast/transport",
      "@holdfast/state-machine",
      "@holdfast/log",
      "@holdfast/replica",
      "@holdfast/server",
      "@holdfast/client",
    ],
    {
      builtins: noWorld,
      globals: timeAndChance,
      // The commands run seeds in processes and keep what came of them; what they run is inside.
      environment: ["src/environment.ts", "simulate.mjs", "planted.mjs", "seed-process.mjs"],
    },
  ),
  conformance: row(["@holdfast/client", "@holdfast/transport", "@holdfast/protocol", "holdfast"], {
    thirdParty: true,
    reaches: ["tools"],
    computed: ["clients/driver/suites.mjs", "src/differential/main.ts"],
  }),
  // The checks of the simulator judge the histories of real processes too. The fuzzers hand their inputs to what lies
  // inside a server: log, state machine, snapshot files.
  faults: row(
    [
      "@holdfast/client",
      "@holdfast/transport",
      "@holdfast/protocol",
      "@holdfast/simulator",
      "@holdfast/log",
      "@holdfast/state-machine",
      "@holdfast/replica",
      "@holdfast/server",
      "holdfast",
    ],
    { thirdParty: true, reaches: ["tools"] },
  ),
  bench: row(["@holdfast/client", "@holdfast/transport", "@holdfast/protocol", "holdfast"], { reaches: ["tools"] }),
  tools: row([], { computed: ["start.mjs", "bundle.mjs", "bundle/compile.mjs", "faults/defaults.mjs"] }),
};

/** What tests, and files that may do what tests may, import besides. */
export const testPackages = ["fast-check", "protobufjs"];
