/** `holdfast snapshot save|status|restore`: a whole store as one file, and back. */
import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { connect } from "@holdfast/client";
import {
  readSnapshotFile,
  restoreSnapshotFile,
  revisionStepDefault,
  type SnapshotSummary,
  summaryOf,
} from "@holdfast/server";
import type { Command } from "commander";
import { exitCodes } from "../exit-codes.js";
import { addConnectionOptions, connectionOptions, defaultEndpoint, type End } from "../remote/connection-options.js";
import { UsageError } from "../settings/usage-error.js";
import { draftOf, saveSnapshot } from "./save.js";

const serverEnd: End = { word: "", title: "server" };

const exitCodeHelp = `
Exit codes:
  0  done                              6  the file is damaged, or no snapshot that this version knows
  1  unexpected error                  7  the disk failed or is full
  2  wrong flag or setting             9  the server cannot be reached, or refused the call
  5  file or folder cannot be used    10  refused: the data folder is not empty
130  interrupted`;

const saveHelp = `
A file of that name is replaced, once the new snapshot has come whole and is on disk; until then it stays as it was. The
snapshot holds everything: keys with their history, leases, users and roles with their passwords' hashes. Keep it safe.
${exitCodeHelp}`;

const restoreHelp = `
The folder must be new or empty. The server that is started on it has the keys, users, roles and alarms of the snapshot, and
its leases with their whole lifetime left; what clients did after the snapshot was taken is gone. It is a new cluster, whose
revision is so much higher that nothing clients remember is given again: their watches end as compacted, and keys with
leases, which is what locks and registrations are, are created anew, each queue in its order.

With --bump-revision 0 the store is made exactly as it was saved, with its history. Revisions and tokens of locks that
clients have seen since the snapshot was taken will then be given again: for looking into a backup, or where no client was.
${exitCodeHelp}`;

export function addSnapshotCommand(program: Command): void {
  const snapshot = program.command("snapshot").description("save, look at and restore a whole store as one file");
  const save = snapshot
    .command("save <file>")
    .description("save the state of a running server")
    .option("--endpoint <endpoints>", "server to save, several by commas to try in order", defaultEndpoint);
  addConnectionOptions(save, serverEnd)
    .addHelpText("after", saveHelp)
    .action(async (file: string, { endpoint }: { endpoint: string }) => runSave(save, file, endpoint));
  snapshot
    .command("status <file>")
    .description("check a snapshot and say what it holds")
    .option("--json", "as one line of JSON")
    .addHelpText("after", exitCodeHelp)
    .action(async (file: string, { json }: { json?: true }) => runStatus(file, json === true));
  snapshot
    .command("restore <file>")
    .description("make a data folder of a snapshot, for `holdfast serve --data-dir`")
    .requiredOption("--data-dir <folder>", "folder to make; must be new or empty")
    .option(
      "--bump-revision <number>",
      "how much higher the revision is to be than in the snapshot",
      `${revisionStepDefault}`,
    )
    .option(
      "--mark-compacted",
      "mark everything below the new revision as compacted; always so unless --bump-revision is 0",
    )
    .addHelpText("after", restoreHelp)
    .action(async (file: string, options: RestoreOptions) => runRestore(file, options));
}

async function runSave(command: Command, name: string, endpoint: string): Promise<void> {
  const file = resolve(name);
  removeDraftOnInterrupt(draftOf(file));
  const connection = await connect(connectionOptions(command, serverEnd, endpoint));
  try {
    const { bytes, digest } = await saveSnapshot(connection, file);
    process.stdout.write(`saved ${file}: ${bytes} bytes from ${connection.endpoint}, SHA-256 ${digest}\n`);
  } finally {
    connection.close();
  }
}

async function runStatus(file: string, asJson: boolean): Promise<void> {
  const summary = summaryOf(await readSnapshotFile(file));
  process.stdout.write(asJson ? `${JSON.stringify(jsonOf(summary))}\n` : textOf(summary));
}

interface RestoreOptions {
  readonly dataDir: string;
  readonly bumpRevision: string;
  readonly markCompacted?: true;
}

async function runRestore(file: string, options: RestoreOptions): Promise<void> {
  const folder = resolve(options.dataDir);
  const step = revisionStepOf(options);
  const summary = summaryOf(await restoreSnapshotFile(file, folder, step));
  const history =
    step === 0
      ? "revisions and history are as they were saved\n"
      : `the revision was raised by ${step} and history is compacted: watches and reads of older revisions end as compacted\n`;
  process.stdout.write(
    `restored ${file} into ${folder}: revision ${summary.revision}, keys ${summary.keys}, leases ${summary.leases}\n` +
      history +
      `serve it with: holdfast serve --data-dir ${folder}\n`,
  );
}

/** Throws `UsageError`. */
function revisionStepOf({ bumpRevision, markCompacted }: RestoreOptions): number {
  const step = Number(bumpRevision);
  if (!/^\d+$/.test(bumpRevision) || !Number.isSafeInteger(step)) {
    throw new UsageError(`--bump-revision must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`);
  }
  if (step === 0 && markCompacted === true) throw new UsageError("--mark-compacted needs --bump-revision above 0");
  return step;
}

/** The names are etcdctl's where it has them. */
function jsonOf(summary: SnapshotSummary): Readonly<Record<string, unknown>> {
  const { digest, revision, keys, bytes, format, compactRevision, leases, users, roles, authEnabled, alarms } = summary;
  const etcdNamed = { hash: digest, revision, totalKey: keys, totalSize: bytes, version: `holdfast-${format}` };
  return { ...etcdNamed, compactRevision, leases, users, roles, authEnabled, alarms };
}

function textOf(summary: SnapshotSummary): string {
  const rows: readonly (readonly [string, string | number])[] = [
    ["hash", summary.digest],
    ["format", summary.format],
    ["size", `${summary.bytes} bytes`],
    ["revision", summary.revision],
    ["compacted at", summary.compactRevision === 0 ? "never" : summary.compactRevision],
    ["keys", summary.keys],
    ["leases", summary.leases],
    ["users", summary.users],
    ["roles", summary.roles],
    ["authentication", summary.authEnabled ? "on" : "off"],
    ["alarms", summary.alarms],
  ];
  return rows.map(([name, value]) => `${name.padEnd(16)}${value}\n`).join("");
}

function removeDraftOnInterrupt(draft: string): void {
  const stop = (): void => {
    rmSync(draft, { force: true });
    process.stderr.write("holdfast: interrupted; nothing was saved\n");
    process.exit(exitCodes.interrupted);
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}
