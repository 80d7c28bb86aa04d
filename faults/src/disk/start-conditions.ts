/**
 * F9: folders in which a server must not start, or only says so and starts: each with its exit code and a line that names the
 * folder or what is wrong. A refused start leaves the folder as it was.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmod, chown, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { byteStringFromText, kvService } from "@holdfast/protocol";
import { Client } from "../client.js";
import { cannotMountTmpfs, mountTmpfs } from "../mounts.js";
import { cannotMakeNamespaces, makeNamespace } from "../network/namespace.js";
import { missingProgram, mustRun, notRoot } from "../processes.js";
import { PutLoad } from "../put-load.js";
import type { Scenario, ScenarioContext } from "../scenario.js";
import { type ServerOptions, ServerProcess } from "../server-process.js";
import { cannotTrace, tracedFromStart } from "../tracer.js";
import { within } from "../waiting.js";

/** A folder that a server has written to and was killed on. */
async function usedFolder(context: ScenarioContext, dataDir: string): Promise<void> {
  const server = await ServerProcess.start({ dataDir }, context);
  const client = await Client.connect(server.endpoint);
  await client.must(kvService.methods.put, { key: byteStringFromText("kept"), value: Buffer.from("v") });
  await server.kill();
}

/**
 * The names in a folder with a digest of what they hold, but for two kinds: who tried to open the folder is noted in `owner`
 * before anything is read, and a spare file that was never finished has no meaning.
 */
async function contentOf(folder: string): Promise<string> {
  const all = await readdir(folder).catch(() => []);
  const names = all.filter((name) => name !== "owner" && !name.endsWith(".new"));
  const parts = await Promise.all(
    names.sort().map(
      async (name) =>
        `${name} ${createHash("sha256")
          .update(await readFile(join(folder, name)))
          .digest("hex")}`,
    ),
  );
  return parts.join("\n");
}

interface Refusal {
  readonly what: string;
  readonly exitCode: number;
  /** What the last line must say. */
  readonly says: RegExp;
  readonly missing?: Scenario["missing"];
  /** Set where the folder's owner, or the refused server itself, rightly goes on writing. */
  readonly changes?: boolean;
  /** Makes the folder; what it returns is added to the options of the start. */
  readonly prepare: (context: ScenarioContext, dataDir: string) => Promise<Partial<ServerOptions>>;
}

const asRoot: Scenario["missing"] = () => notRoot();
const setpriv: Scenario["missing"] = async () => notRoot() ?? (await missingProgram("setpriv"));

/** Root without the right to override permissions: like any other user, but able to read where Node.js is installed. */
const withoutOverride = [
  "setpriv",
  "--bounding-set=-dac_override,-dac_read_search,-fowner",
  "--inh-caps=-dac_override,-dac_read_search,-fowner",
  "--",
];

async function patchVersion(path: string, version: number): Promise<void> {
  const bytes = await readFile(path);
  bytes.writeUInt32LE(version, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
  await writeFile(path, bytes);
}

async function firstSegment(dataDir: string): Promise<string> {
  const names = (await readdir(dataDir)).filter((name) => name.startsWith("log-")).sort();
  return join(dataDir, names[0] ?? "log-0");
}

const refusals: readonly Refusal[] = [
  {
    what: "a second server on the folder",
    exitCode: 4,
    says: /in use/,
    changes: true,
    prepare: async (context, dataDir) => {
      await ServerProcess.start({ dataDir }, context);
      return {};
    },
  },
  {
    what: "a second server on the folder under another name",
    exitCode: 4,
    says: /in use/,
    changes: true,
    prepare: async (context, dataDir) => {
      await ServerProcess.start({ dataDir }, context);
      await symlink(dataDir, `${dataDir}-alias`);
      return { dataDir: `${dataDir}-alias` };
    },
  },
  {
    what: "a read-only file system",
    exitCode: 5,
    says: /EROFS/,
    missing: cannotMountTmpfs,
    prepare: async (context) => {
      const at = await mountTmpfs(context, 40);
      await usedFolder(context, join(at, "data"));
      await mustRun("mount", "-o", "remount,ro", at);
      return { dataDir: join(at, "data") };
    },
  },
  {
    what: "a folder of another user",
    exitCode: 5,
    says: /EACCES/,
    missing: setpriv,
    prepare: async (context, dataDir) => {
      await usedFolder(context, dataDir);
      for (const name of await readdir(dataDir)) await chown(join(dataDir, name), 65_534, 65_534);
      await chown(dataDir, 65_534, 65_534);
      await chmod(dataDir, 0o700);
      return { wrapper: withoutOverride };
    },
  },
  {
    what: "files that may not be written",
    exitCode: 5,
    says: /EACCES/,
    missing: setpriv,
    prepare: async (context, dataDir) => {
      await usedFolder(context, dataDir);
      for (const name of await readdir(dataDir)) await chmod(join(dataDir, name), 0o400);
      return { wrapper: withoutOverride };
    },
  },
  {
    what: "a folder that is a file",
    exitCode: 5,
    says: /not a folder/,
    prepare: async (_context, dataDir) => {
      await writeFile(dataDir, "");
      return {};
    },
  },
  {
    what: "a folder of other files",
    exitCode: 5,
    says: /data/,
    prepare: async (_context, dataDir) => {
      await mkdir(dataDir);
      await writeFile(join(dataDir, "holiday.jpg"), "not a log");
      return {};
    },
  },
  {
    what: "data of a newer version",
    exitCode: 8,
    says: /version/,
    prepare: async (context, dataDir) => {
      await usedFolder(context, dataDir);
      await patchVersion(join(dataDir, "meta"), 2);
      return {};
    },
  },
  {
    what: "a segment of a newer version",
    exitCode: 8,
    says: /version/,
    prepare: async (context, dataDir) => {
      await usedFolder(context, dataDir);
      await patchVersion(await firstSegment(dataDir), 2);
      return {};
    },
  },
  {
    what: "a folder whose first segment is missing",
    exitCode: 6,
    says: /missing|damaged/,
    prepare: async (context, dataDir) => {
      await usedFolder(context, dataDir);
      await rm(await firstSegment(dataDir));
      return {};
    },
  },
  {
    what: "a folder whose segments are all missing",
    exitCode: 6,
    says: /missing|damaged/,
    prepare: async (context, dataDir) => {
      await usedFolder(context, dataDir);
      for (const name of await readdir(dataDir)) if (name.startsWith("log-")) await rm(join(dataDir, name));
      return {};
    },
  },
  {
    what: "a folder whose description is missing",
    exitCode: 6,
    says: /missing|damaged|meta/,
    prepare: async (context, dataDir) => {
      await usedFolder(context, dataDir);
      await rm(join(dataDir, "meta"));
      return {};
    },
  },
  {
    what: "a flipped bit in what was synced",
    exitCode: 6,
    says: /damaged/,
    prepare: async (context, dataDir) => {
      const server = await ServerProcess.start({ dataDir }, context);
      const load = new PutLoad({ name: "load", writers: 2 });
      await load.start(server.endpoint);
      await load.acknowledged(500);
      await load.stop();
      await server.kill();
      const path = await firstSegment(dataDir);
      const bytes = await readFile(path);
      bytes.writeUInt8(bytes.readUInt8(4_500) ^ 4, 4_500);
      await writeFile(path, bytes);
      return {};
    },
  },
  {
    what: "a segment of another folder",
    exitCode: 6,
    says: /damaged|another|identity/,
    prepare: async (context, dataDir) => {
      await usedFolder(context, dataDir);
      await usedFolder(context, `${dataDir}-other`);
      await writeFile(await firstSegment(dataDir), await readFile(await firstSegment(`${dataDir}-other`)));
      return {};
    },
  },
  {
    what: "a process that can open no further files",
    exitCode: 5,
    says: /EMFILE/,
    missing: cannotTrace,
    prepare: async (context, dataDir) => {
      await usedFolder(context, dataDir);
      // Node.js itself needs more descriptors to load its modules than the server does later: only the data are out of reach.
      return { wrapper: [...tracedFromStart(["openat:error=EMFILE"]), "-P", join(dataDir, "meta")] };
    },
  },
  {
    what: "a folder below /proc",
    exitCode: 5,
    says: /\/proc/,
    missing: asRoot,
    prepare: async () => ({ dataDir: "/proc/holdfast/data" }),
  },
  {
    what: "a port that is taken",
    exitCode: 3,
    says: /EADDRINUSE|in use/,
    changes: true,
    prepare: async (context) => {
      const other = createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => other.once("listening", resolve));
      context.cleanUp(() => {
        other.close();
      });
      const address = other.address();
      return { listen: `127.0.0.1:${typeof address === "object" ? address?.port : 0}` };
    },
  },
];

function refused({ what, exitCode, says, missing, changes, prepare }: Refusal): Scenario {
  return {
    title: `F9, I11: ${what}: refused with exit code ${exitCode}, and its data are left as they are`,
    secondsMax: 50,
    ...(missing === undefined ? {} : { missing }),
    run: async (context) => {
      const usual = join(context.folder, "data");
      const options = { dataDir: usual, ...(await prepare(context, usual)) };
      const before = await contentOf(options.dataDir);
      const server = ServerProcess.launch(options, context);
      await assert.rejects(server.ready, "it started");
      const end = await server.exited;
      const said = server.output.at(-1) ?? "";
      assert.equal(end.exitCode, exitCode, `it ended with ${end.signal ?? end.exitCode}: ${said}`);
      assert.match(server.output.join("\n"), says);
      if (changes !== true) assert.equal(await contentOf(options.dataDir), before, "the folder has been changed");
      context.note(said);
    },
  };
}

/** Nothing tells that data were ever there: a new database is made, as for etcd; the log line says so. */
const emptied: Scenario = {
  title: "F9: an empty folder starts a new database, under a new identity",
  secondsMax: 50,
  run: async (context) => {
    const dataDir = join(context.folder, "data");
    await usedFolder(context, dataDir);
    const before = await readFile(join(dataDir, "meta"));
    await rm(dataDir, { recursive: true });
    await mkdir(dataDir);
    const server = await ServerProcess.start({ dataDir }, context);
    const client = await Client.connect(server.endpoint);
    assert.equal((await client.must(kvService.methods.range, { key: byteStringFromText("kept") })).kvs.length, 0);
    assert.notDeepEqual(await readFile(join(dataDir, "meta")), before);
  },
};

/** The guard of the folder cannot be seen from another network namespace; there the newcomer wins, and the older one stops. */
const unseenSecond: Scenario = {
  title:
    "F9, I1, I11: a second server that cannot see the first takes the folder over; the first stops, and what it acknowledged stays",
  secondsMax: 50,
  missing: cannotMakeNamespaces,
  run: async (context) => {
    const dataDir = join(context.folder, "data");
    const first = await ServerProcess.start({ dataDir }, context);
    const load = new PutLoad({ name: "load", writers: 4 });
    await load.start(first.endpoint);
    await load.acknowledged(200);
    const { wrapper } = await makeNamespace(context, 0);
    const second = await ServerProcess.start({ dataDir, wrapper }, context);
    const end = await within(first.exited, 10, "the first server stops when its folder has been taken over");
    assert.notEqual(end.exitCode ?? 0, 0, "the first server ended as if nothing had been");
    await load.ended();
    await load.stop();
    await second.kill();
    const third = await ServerProcess.start({ dataDir }, context);
    assert.deepEqual(await load.problems(third.endpoint), []);
    context.note(`the first ended with ${end.exitCode}: ${first.output.at(-1)?.slice(0, 200)}`);
  },
};

export const startConditions: readonly Scenario[] = [...refusals.map(refused), emptied, unseenSecond];
