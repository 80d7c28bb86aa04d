/**
 * F1 and F9 with real processes on the real disk: the folder lock against a second process, its
 * release by SIGKILL, and a log whose owner is killed again and again while it appends.
 */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { LogFolderLockedError } from "../errors.js";
import { append, payloadOf, replayed, stored } from "../testing/log-contract.js";
import { segmentName } from "./file-names.js";
import { lockByFile } from "./folder-lock.js";
import { openFileLog } from "./open-file-log.js";

const HOLDER = fileURLToPath(new URL("./lock-holder.test.process.js", import.meta.url));

async function temporaryFolder(t: TestContext): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), "holdfast-log-"));
  t.after(() => rm(parent, { recursive: true, force: true }));
  return join(parent, "log");
}

interface Holder {
  readonly process: ChildProcess;
  readonly lines: AsyncIterator<string>;
}

function startHolder(t: TestContext, folder: string, first = 0): Holder {
  const child = spawn(process.execPath, [HOLDER, folder, String(first)], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  return { process: child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

async function kill(holder: Holder): Promise<void> {
  holder.process.kill("SIGKILL");
  await once(holder.process, "exit");
}

test("F9: a second opener is refused, in this process and in another, until the first one closes", async (t) => {
  const folder = await temporaryFolder(t);
  const log = await openFileLog({ folder });
  await assert.rejects(openFileLog({ folder }), LogFolderLockedError);
  assert.equal((await startHolder(t, folder).lines.next()).value, "locked");
  const alias = `${folder}-alias`;
  await symlink(folder, alias);
  await assert.rejects(openFileLog({ folder: alias }), LogFolderLockedError, "the same folder under another name");
  await log.acquire();
  await stored(log, "the refused ones did no harm");
  await log.close();
  await (await openFileLog({ folder: alias })).close();
});

test("F9: the lock of a process dies with it, even by SIGKILL", async (t) => {
  const folder = await temporaryFolder(t);
  const holder = startHolder(t, folder);
  assert.equal((await holder.lines.next()).value, "open");
  await assert.rejects(openFileLog({ folder }), (error: unknown) => {
    assert.ok(error instanceof LogFolderLockedError);
    assert.equal(error.message, `log folder in use: ${folder}: another process has it open`);
    return true;
  });
  await kill(holder);
  await (await openFileLog({ folder })).close();
});

/** What another opener does that cannot see our lock, as from another container: it leaves its mark. */
async function takeOver(folder: string): Promise<void> {
  const owner = join(folder, "owner");
  const bytes = await readFile(owner);
  bytes.fill(0x77, 48, 60);
  await writeFile(owner, bytes);
}

test("F9: a log taken over behind the lock's back stops, and reports nothing as stored any more", async (t) => {
  const folder = await temporaryFolder(t);
  const failures: Error[] = [];
  const log = await openFileLog({ folder, onFailure: (error) => failures.push(error) });
  await log.acquire();
  await stored(log, "mine");
  await takeOver(folder);
  assert.deepEqual(await append(log, "too late"), { fate: "refused", why: "closed" });
  assert.ok(failures[0] instanceof LogFolderLockedError);
  assert.match(failures[0].message, /taken it over/);
  await log.close();
});

test("F9: a log taken over behind the lock's back publishes no snapshot there, and discards nothing", async (t) => {
  const folder = await temporaryFolder(t);
  const failures: Error[] = [];
  const log = await openFileLog({ folder, onFailure: (error) => failures.push(error) });
  await log.acquire();
  await stored(log, "mine");
  // The next segment is made in the background.
  let names = await readdir(folder);
  while (!names.includes(segmentName(2))) names = await readdir(folder);
  await takeOver(folder);
  await assert.rejects(log.writeSnapshot(log.lastIndex, [Buffer.from("state")]), LogFolderLockedError);
  assert.deepEqual(await readdir(folder), names);
  assert.ok(failures[0] instanceof LogFolderLockedError);
  await log.close();
});

test("F9: files and folder are for their owner only", async (t) => {
  const folder = await temporaryFolder(t);
  const log = await openFileLog({ folder });
  await log.acquire();
  await log.writeSnapshot(1, [Buffer.from("state")]);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  for (const name of ["meta", "owner", "log-0000000000000001", "snapshot-0000000000000001"]) {
    assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600, name);
  }
  await log.close();
});

test("F9: where there are no abstract sockets, a lock file with a living process holds, a dead one's does not", async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(folder);
  const unlock = await lockByFile(folder);
  await assert.rejects(lockByFile(folder), LogFolderLockedError);
  await unlock();
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  await writeFile(join(folder, "lock"), `${child.pid}\n`);
  const again = await lockByFile(folder);
  await again();
  await writeFile(join(folder, "lock"), "");
  await (await lockByFile(folder))();
});

test("F1: killed by SIGKILL while appending, again and again: everything acknowledged is there", async (t) => {
  const folder = await temporaryFolder(t);
  let next = 0;
  for (let round = 0; round < 5; round++) {
    const holder = startHolder(t, folder, next);
    assert.equal((await holder.lines.next()).value, "open");
    for (let line = 0; line < 40 + round * 17; line++) next = Number((await holder.lines.next()).value) + 1;
    await kill(holder);
    // Lines that were still in the pipe count too.
    for (let line = await holder.lines.next(); !line.done; line = await holder.lines.next()) {
      if (/^\d+$/.test(line.value)) next = Number(line.value) + 1;
    }
    const log = await openFileLog({ folder });
    const numbers = (await replayed(log)).map((entry) => Number(payloadOf(entry).slice("number ".length)));
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => i),
    );
    assert.ok(numbers.length === next || numbers.length === next + 1, `${numbers.length} found, ${next} acknowledged`);
    next = numbers.length;
    await log.close();
  }
});
