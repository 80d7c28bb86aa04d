import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Command, CommanderError } from "commander";
import { normalizeArguments } from "./command-line.js";
import { addServeOptions, type ServeSettings, serveSettings } from "./settings.js";
import { UsageError } from "./usage-error.js";

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-settings-"));
});
after(() => rmSync(folder, { recursive: true }));

/** The settings for these arguments, variables, and lines of a config file. */
function settings(args: string[], variables: Record<string, string> = {}, config?: string): ServeSettings {
  const file = join(folder, "config.yaml");
  if (config !== undefined) writeFileSync(file, config);
  const command = addServeOptions(new Command("serve"))
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  const saved = { ...process.env };
  Object.assign(process.env, variables);
  try {
    const line = normalizeArguments(config === undefined ? args : ["--config", file, ...args]);
    command.parse(line.args, { from: "user" });
    return serveSettings(command, line.ignored);
  } finally {
    process.env = saved;
  }
}

test("the defaults", () => {
  const { dataDir, inMemory, logLevel, logFormat, server } = settings([]);
  const { listen, name } = server;
  assert.deepEqual(
    { dataDir, inMemory, listen, name, logLevel, logFormat },
    {
      dataDir: "holdfast-data",
      inMemory: false,
      listen: ["127.0.0.1:2379"],
      name: "default",
      logLevel: "info",
      logFormat: "text",
    },
  );
});

test("a flag wins over a variable, a variable over the file, the file over the default", () => {
  const file = "name: from-file\ndata-dir: from-file\nlog-level: warn\nlisten: [127.0.0.1:1, 127.0.0.1:2]\n";
  const found = settings(
    ["--name", "from-flag"],
    { HOLDFAST_NAME: "from-variable", HOLDFAST_DATA_DIR: "from-variable" },
    file,
  );
  assert.equal(found.server.name, "from-flag");
  assert.equal(found.dataDir, "from-variable");
  assert.equal(found.logLevel, "warn");
  assert.deepEqual(found.server.listen, ["127.0.0.1:1", "127.0.0.1:2"]);
  assert.equal(found.logFormat, "text");
});

test("several addresses are separated by commas, in a flag, a variable and the file", () => {
  const expected = ["127.0.0.1:1", "[::1]:2"];
  assert.deepEqual(settings(["--listen", "127.0.0.1:1,[::1]:2"]).server.listen, expected);
  assert.deepEqual(settings([], { HOLDFAST_LISTEN: "127.0.0.1:1, [::1]:2" }).server.listen, expected);
  assert.deepEqual(settings([], {}, "listen: 127.0.0.1:1,[::1]:2").server.listen, expected);
});

test("F25, F49: limits of connections and of failed logins are the server's own unless they are said; 0 lifts them", () => {
  const { netLimits, transportLimits, serviceLimits } = settings([]).server;
  assert.deepEqual(netLimits, {});
  assert.equal(transportLimits?.connectionsTotalMax, undefined);
  assert.equal(serviceLimits?.loginFailuresPerUser, undefined);
  const flags =
    "--max-connections 7 --max-connections-per-address 0 --login-failures-per-user 0 --login-failures-per-address 6";
  const { server } = settings(flags.split(" "), { HOLDFAST_LOGIN_BACKOFF_MAX: "5s" });
  assert.deepEqual(server.netLimits, {
    connectionsPerAddressMax: Number.MAX_SAFE_INTEGER,
    connectionsFromLoopbackMax: 7,
  });
  assert.equal(server.transportLimits?.connectionsTotalMax, 7);
  const { loginFailuresPerUser, loginFailuresPerAddress, loginBackoffMaxMs } = server.serviceLimits ?? {};
  assert.deepEqual([loginFailuresPerUser, loginFailuresPerAddress, loginBackoffMaxMs], [0, 6, 5_000]);
  assert.equal(settings([], {}, "login-backoff-max: 0").server.serviceLimits?.loginBackoffMaxMs, 0);
  assert.equal(settings(["--max-connections-per-address", "5"]).server.netLimits?.connectionsPerAddressMax, 5);
  assert.equal(settings(["--socket-threads", "2"]).server.netLimits?.socketThreadsMax, 2);
});

test("in-memory can be said in each of the three ways", () => {
  assert.equal(settings(["--in-memory"]).inMemory, true);
  assert.equal(settings([], { HOLDFAST_IN_MEMORY: "true" }).inMemory, true);
  assert.equal(settings([], {}, "in-memory: true").inMemory, true);
  assert.equal(settings([], {}, "in-memory: false").inMemory, false);
});

test("in-memory is what was said last in the order of precedence, and only true is true", () => {
  assert.equal(settings([], { HOLDFAST_IN_MEMORY: "false" }).inMemory, false);
  assert.equal(settings(["--in-memory=false"], {}, "in-memory: true").inMemory, false);
  assert.equal(settings(["--in-memory", "false"], { HOLDFAST_IN_MEMORY: "true" }).inMemory, false);
  assert.equal(settings([], { HOLDFAST_IN_MEMORY: "0" }).inMemory, false);
  for (const text of ["no", "", "yes"]) {
    assert.throws(() => settings([], { HOLDFAST_IN_MEMORY: text }), CommanderError, text);
  }
});

test("a data folder without a name, and one that would not be used, are refused", () => {
  assert.throws(() => settings(["--data-dir", ""]), CommanderError);
  assert.throws(() => settings([], { HOLDFAST_DATA_DIR: "" }), CommanderError);
  assert.throws(() => settings(["--in-memory", "--data-dir", "d"]), UsageError);
  assert.throws(() => settings([], {}, "data-dir: d\nin-memory: true"), UsageError);
});

test("between in-memory and a data folder the stronger source decides", () => {
  assert.equal(settings(["--in-memory"], {}, "data-dir: d").inMemory, true);
  assert.equal(settings(["--data-dir", "d"], { HOLDFAST_IN_MEMORY: "true" }).inMemory, false);
  assert.equal(settings([], { HOLDFAST_DATA_DIR: "d" }, "in-memory: true").inMemory, false);
});

test("a JSON file does as well as a YAML one", () => {
  assert.equal(settings([], {}, '{ "name": "json", "log-format": "json" }').logFormat, "json");
});

test("an unknown flag and a wrong value are refused", () => {
  assert.throws(() => settings(["--data-dri", "x"]), CommanderError);
  assert.throws(() => settings(["--log-level", "loud"]), CommanderError);
  assert.throws(() => settings(["--listen", "a,,b"]), CommanderError);
  assert.throws(() => settings([], { HOLDFAST_LOG_FORMAT: "xml" }), CommanderError);
});

test("a config file is refused in one line that names it and what is wrong", () => {
  const cases: Array<[string, RegExp]> = [
    ["nmae: x", /config\.yaml: unknown setting "nmae"$/],
    ["log-level: loud", /config\.yaml: "log-level": /],
    ["in-memory: perhaps", /"in-memory": want true or false$/],
    ["- a list", /want settings as "name: value" lines$/],
    ["name: [", /config\.yaml: /],
    ["name: { a: 1 }", /"name" must be a text$/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => settings([], {}, text),
      (error) => error instanceof UsageError && message.test(error.message) && !error.message.includes("\n"),
      text,
    );
  }
  assert.throws(() => settings(["--config", join(folder, "missing.yaml")]), UsageError);
});
