/**
 * node compile.mjs SCRIPT FILE [FOLDER]
 *
 * Runs a server from the bundle SCRIPT and writes what V8 has compiled of it to FILE. Which functions are worth compiling
 * ahead only a run can tell: a server is started on an empty folder in a process of its own, written to and stopped, and
 * then started again on what that has left behind, a snapshot and a log, which is the way most starts go.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [scriptFile, codeFile, given] = process.argv.slice(2);
const ownFile = fileURLToPath(import.meta.url);

if (given === undefined) inTemporaryFolder(compileInTwoRuns);
else await serveOnce(given);

function compileInTwoRuns(folder) {
  for (let run = 0; run < 2; run += 1) {
    const { status } = spawnSync(process.execPath, [ownFile, scriptFile, codeFile, folder], { stdio: "inherit" });
    if (status !== 0) process.exit(1);
  }
}

function inTemporaryFolder(use) {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-bundle-"));
  try {
    use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts the server, makes a snapshot, writes and reads a key, and stops it, which ends the process. */
async function serveOnce(folder) {
  const { compileBundle } = await import(pathToFileURL(join(dirname(scriptFile), "load-bundle.js")).href);
  const { script, run } = compileBundle(readFileSync(scriptFile));
  process.on("exit", (code) => {
    if (code === 0) writeFileSync(codeFile, script.createCachedData());
  });
  const socket = join(folder, "socket");
  await run().runServe(["--data-dir", join(folder, "data"), "--listen", `unix:${socket}`], true);
  await call(socket, "/etcdserverpb.KV/Put", [0x0a, 0x01, 0x61, 0x12, 0x01, 0x62]);
  await call(socket, "/etcdserverpb.Maintenance/Defragment", []);
  await call(socket, "/etcdserverpb.KV/Put", [0x0a, 0x01, 0x61, 0x12, 0x01, 0x62]);
  await call(socket, "/etcdserverpb.KV/Range", [0x0a, 0x01, 0x61, 0x12, 0x01, 0x62]);
  process.kill(process.pid, "SIGTERM");
}

/** One unary call; throws unless it is answered well. */
async function call(socket, path, message) {
  const { createConnection } = await import("node:net");
  const session = connect("http://localhost", { createConnection: () => createConnection(socket) });
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  });
  let status;
  stream.on("trailers", (trailers) => {
    status = trailers["grpc-status"];
  });
  stream.resume().end(Buffer.from([0, 0, 0, 0, message.length, ...message]));
  await new Promise((resolve, reject) => stream.on("close", resolve).on("error", reject));
  session.close();
  if (status !== "0") throw new Error(`${path}: status ${status}`);
}
