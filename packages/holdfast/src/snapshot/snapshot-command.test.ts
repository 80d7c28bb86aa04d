/** `holdfast snapshot` and `holdfast import` as a user meets them: output, exit codes, files. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect as connectSocket, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { authService, byteStringFromText, connect, kvService } from "@holdfast/client";
import { startServer } from "@holdfast/server";
import { exitCodes } from "../exit-codes.js";
import { runCommand, serveCommand, spawnCommand } from "../testing/command.js";

const { put, range } = kvService.methods;
const folder = mkdtempSync(join(tmpdir(), "holdfast-snapshot-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function putAt(endpoint: string, ...keys: readonly string[]): Promise<void> {
  const connection = await connect({ endpoints: endpoint });
  for (const key of keys) await connection.call(put, { key: byteStringFromText(key), value: Buffer.from(key) });
  connection.close();
}

async function countAt(endpoint: string): Promise<number> {
  const connection = await connect({ endpoints: endpoint });
  const zero = byteStringFromText("\0");
  const { count } = await connection.call(range, { key: zero, rangeEnd: zero, countOnly: true });
  connection.close();
  return count;
}

test("save, status, restore, serve", async (t) => {
  const endpoint = await serveCommand(t, "--in-memory");
  await putAt(endpoint, "a", "b", "a");
  const file = join(folder, "round.db");
  writeFileSync(file, "an old one");
  const saved = await runCommand("snapshot", "save", file, "--endpoint", `http://${endpoint}`);
  assert.equal(saved.code, exitCodes.ok, saved.stderr);
  const { size, mode } = statSync(file);
  assert.equal(mode & 0o077, 0, "nobody else may read it");
  assert.match(
    saved.stdout,
    new RegExp(`^saved ${file}: ${size} bytes from http://${endpoint}, SHA-256 [0-9a-f]{64}\n$`),
  );
  assert.deepEqual(readdirSync(folder), ["round.db"]);

  const hash = readFileSync(file).subarray(-32).toString("hex");
  const { stdout } = await runCommand("snapshot", "status", file, "--json");
  assert.deepEqual(JSON.parse(stdout), {
    hash,
    revision: 4,
    totalKey: 2,
    totalSize: size,
    version: "holdfast-1",
    compactRevision: 0,
    leases: 0,
    users: 0,
    roles: 0,
    authEnabled: false,
    alarms: 0,
  });
  const text = await runCommand("snapshot", "status", file);
  assert.match(text.stdout, new RegExp(`^hash +${hash}$`, "m"));
  assert.match(text.stdout, /^revision +4$/m);

  const dataDir = join(folder, "restored");
  const restored = await runCommand("snapshot", "restore", file, "--data-dir", dataDir);
  assert.equal(restored.code, exitCodes.ok, restored.stderr);
  assert.match(restored.stdout, new RegExp(`holdfast serve --data-dir ${dataDir}\n$`));
  assert.equal(await countAt(await serveCommand(t, "--data-dir", dataDir)), 2);
  assert.match(
    restored.stdout,
    /: revision 1000000004, keys 2, leases 0\nthe revision was raised by 1000000000 and history is compacted/,
  );
  const exact = join(folder, "exact");
  const asSaved = await runCommand("snapshot", "restore", file, "--data-dir", exact, "--bump-revision", "0");
  assert.match(asSaved.stdout, /: revision 4, keys 2, leases 0\nrevisions and history are as they were saved\n/);
  const again = await runCommand("snapshot", "restore", file, "--data-dir", dataDir);
  assert.equal(again.code, exitCodes.refused);
  assert.match(again.stderr, /^holdfast: data folder .*restored is not empty/);
});

test("files that cannot be used: one line each, and an exit code of their own", async () => {
  const missing = await runCommand("snapshot", "status", join(folder, "missing.db"));
  assert.equal(missing.code, exitCodes.folderUnreadable);
  assert.match(missing.stderr, /^holdfast: cannot use \S*missing\.db: there is no such file\n$/);
  const toRestore = await runCommand("snapshot", "restore", join(folder, "no.db"), "--data-dir", join(folder, "none"));
  assert.match(toRestore.stderr, /^holdfast: cannot use \S*no\.db: there is no such file\n$/);
  const foreign = join(folder, "foreign.db");
  writeFileSync(foreign, "something else");
  for (const args of [
    ["status", foreign],
    ["restore", foreign, "--data-dir", join(folder, "none")],
  ]) {
    const { code, stderr } = await runCommand("snapshot", ...args);
    assert.equal(code, exitCodes.logDamaged);
    assert.match(stderr, /^holdfast: .*foreign\.db: not a snapshot of Holdfast\n$/);
  }
  const usage = await runCommand("snapshot", "restore", foreign);
  assert.equal(usage.code, exitCodes.usage);
  assert.match(usage.stderr, /^holdfast: required option '--data-dir <folder>' not specified/);
  for (const bump of [["-1"], ["1e9"], ["x"], ["0", "--mark-compacted"], ["9007199254740993"]]) {
    const flags = ["--data-dir", join(folder, "none"), "--bump-revision", ...bump];
    const wrong = await runCommand("snapshot", "restore", foreign, ...flags);
    assert.equal(wrong.code, exitCodes.usage, `${bump}`);
    assert.match(wrong.stderr, /^holdfast: --(bump-revision|mark-compacted) /);
  }
});

test("a server that cannot be reached, or goes away in the middle, leaves the old file as it was", async (t) => {
  const file = join(folder, "kept.db");
  writeFileSync(file, "an old one");
  const down = await runCommand("snapshot", "save", file, "--endpoint", "127.0.0.1:1");
  assert.equal(down.code, exitCodes.callFailed);
  assert.match(down.stderr, /^holdfast: cannot connect to 127\.0\.0\.1:1: connect ECONNREFUSED/);

  const server = await startServer({ listen: "127.0.0.1:0" });
  t.after(() => server.close());
  await putAt(server.endpoint, ...Array.from({ length: 3 }, (_, n) => `${n}`.repeat(300_000)));
  const cut = await cuttingProxy(server.endpoint, 500_000);
  t.after(() => cut.close());
  const { code, stderr } = await runCommand("snapshot", "save", file, "--endpoint", cut.endpoint);
  assert.equal(code, exitCodes.callFailed, stderr);
  assert.equal(readFileSync(file, "utf8"), "an old one");
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith("kept")),
    ["kept.db"],
  );
});

test("Ctrl-C in the middle of a save leaves the old file and no draft", async (t) => {
  const file = join(folder, "stopped.db");
  writeFileSync(file, "an old one");
  const server = await startServer({ listen: "127.0.0.1:0" });
  t.after(() => server.close());
  await putAt(server.endpoint, ...Array.from({ length: 3 }, (_, n) => `${n}`.repeat(300_000)));
  const stuck = await cuttingProxy(server.endpoint, 500_000, "hang");
  t.after(() => stuck.close());
  const child = spawnCommand(["snapshot", "save", file, "--endpoint", stuck.endpoint]);
  await stuck.reached;
  child.kill("SIGINT");
  const [code] = (await once(child, "close")) as [number];
  assert.equal(code, exitCodes.interrupted);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith("stopped")),
    ["stopped.db"],
  );
});

interface Proxy {
  readonly endpoint: string;
  /** Resolves when so many bytes have gone to a client. */
  readonly reached: Promise<void>;
  close(): void;
}

/** Passes everything on until the server has sent so many bytes to a client; then it cuts the connection, or sends no more. */
async function cuttingProxy(endpoint: string, bytes: number, then: "cut" | "hang" = "cut"): Promise<Proxy> {
  const [host, port] = endpoint.split(":");
  const sockets: Socket[] = [];
  let onReached = (): void => {};
  const reached = new Promise<void>((resolve) => {
    onReached = resolve;
  });
  const proxy = createServer((client) => {
    const server = connectSocket(Number(port), host);
    let sent = 0;
    sockets.push(client, server);
    for (const socket of [client, server]) socket.on("error", () => {});
    client.pipe(server);
    server.on("data", (chunk) => {
      sent += chunk.length;
      if (sent <= bytes) {
        client.write(chunk);
        return;
      }
      onReached();
      if (then === "cut") for (const socket of [client, server]) socket.destroy();
    });
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    endpoint: `127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    reached,
    close: () => {
      proxy.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

test("import: the summary, a refusal, a source that is down, flags that exclude each other", async (t) => {
  const [source, target] = [await serveCommand(t, "--in-memory"), await serveCommand(t, "--in-memory")];
  await putAt(source, "a", "b");
  const ends = ["--from", `http://${source}`, "--to", target];
  const first = await runCommand("import", ...ends);
  assert.equal(first.code, exitCodes.ok, first.stderr);
  assert.match(
    first.stdout,
    /^2 keys copied, 0 unchanged, 0 deleted; 0 leases, 0 of them new; source at revision 3; \d+\.\d s\n$/,
  );
  await putAt(target, "c");
  const refused = await runCommand("import", ...ends);
  assert.equal(refused.code, exitCodes.refused);
  assert.match(refused.stderr, /^holdfast: the target has 1 key that the source does not have \("c"\)/);
  assert.equal((await runCommand("import", ...ends, "--delete-extra")).code, exitCodes.ok);
  assert.equal(await countAt(target), 2);
  assert.equal((await runCommand("import", "--from", "127.0.0.1:1", "--to", target)).code, exitCodes.callFailed);
  assert.equal((await runCommand("import", "--to", target)).code, exitCodes.usage);
  const both = await runCommand("import", ...ends, "--delete-extra", "--keep-extra");
  assert.equal(both.code, exitCodes.usage);
  assert.equal((await runCommand("import", ...ends, "--user", "nobody")).code, exitCodes.usage);
  const self = await runCommand("import", "--from", source, "--to", source);
  assert.equal(self.code, exitCodes.usage);
  assert.match(self.stderr, /^holdfast: source and target are the same store/);
});

test("import: a source with authentication is read as the user given", async (t) => {
  const server = await startServer({ listen: "127.0.0.1:0", auth: { passwordCost: 4 } });
  t.after(() => server.close());
  await putAt(server.endpoint, "a");
  const connection = await connect({ endpoints: server.endpoint });
  await connection.call(authService.methods.userAdd, { name: "root", password: "pass:word" });
  await connection.call(authService.methods.userGrantRole, { user: "root", role: "root" });
  await connection.call(authService.methods.authEnable);
  connection.close();
  const target = await serveCommand(t, "--in-memory");
  const ends = ["--from", server.endpoint, "--to", target];
  const without = await runCommand("import", ...ends);
  assert.equal(without.code, exitCodes.callFailed);
  assert.match(without.stderr, /^holdfast: .*user name is empty/);
  assert.equal((await runCommand("import", ...ends, "--user", "root:pass:word")).code, exitCodes.ok);
  assert.equal(await countAt(target), 1);
});
