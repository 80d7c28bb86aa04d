/** `holdfast import`: copies the keys and leases of a live etcd into a running Holdfast. */
import { performance } from "node:perf_hooks";
import { type Connection, connect } from "@holdfast/client";
import { type Command, Option } from "commander";
import { exitCodes } from "../exit-codes.js";
import { addConnectionOptions, connectionOptions, defaultEndpoint, type End } from "../remote/connection-options.js";
import { IncompleteError } from "../remote/outcome-errors.js";
import { type CopyResult, copyStore, type ExtraKeys } from "./copy.js";
import { importLimits } from "./limits.js";
import { counted, Progress } from "./progress.js";

const sourceEnd: End = { word: "", title: "source" };
const targetEnd: End = { word: "to", title: "target" };

interface ImportFlags {
  readonly from: string;
  readonly to: string;
  readonly prefix: string;
  readonly deleteExtra?: true;
  readonly keepExtra?: true;
}

const help = `
The source stays as it is, and may be in use: one revision of it is copied. The target must be running. Run the command
again, as often as you like: it copies what has changed and leaves alone what is the same; after an interruption it goes on.

What is copied
  keys     with values and leases. What differs at the target is overwritten, unless it changes during the import. Keys
           that only the target has make the import refuse before it writes anything; --delete-extra deletes them (right
           for all runs but the first), --keep-extra leaves them.
  leases   under the same ids, with their whole lifetime left when the import ends. Nobody renews them at the target until
           clients come over, so run the import once more right before they do. With --prefix, those of the keys copied.
  order    of the keys that wait for locks and elections.
What is not
  revisions, versions and history: keys are new at the target, and so are fencing tokens made of revisions
  users, roles and alarms

Exit codes:
  0  copied                            9  source or target cannot be reached, or refused a call
  1  unexpected error                 10  refused: the target has keys, or leases, that stand in the way; nothing was
  2  wrong flag or setting                overwritten or deleted for it
130  interrupted                      11  copied, but for keys that changed at the target meanwhile: run again`;

export function addImportCommand(program: Command): void {
  const command = program
    .command("import")
    .description("copy the keys and leases of a live etcd into a running Holdfast")
    .requiredOption(
      "--from <endpoints>",
      "etcd to copy from: host:port, http://, https://, unix: or unixs:, several by commas",
    )
    .option("--to <endpoints>", "Holdfast to copy to, written likewise", defaultEndpoint)
    .option("--prefix <text>", "copy only the keys that begin so", "")
    .addOption(
      new Option("--delete-extra", "delete keys at the target that the source does not have").conflicts("keepExtra"),
    )
    .addOption(new Option("--keep-extra", "leave keys at the target that the source does not have"));
  addConnectionOptions(addConnectionOptions(command, sourceEnd), targetEnd)
    .addHelpText("after", help)
    .action(async (flags: ImportFlags) => runImport(command, flags));
}

async function runImport(command: Command, flags: ImportFlags): Promise<void> {
  stopOnInterrupt();
  const source = await connect(connectionOptions(command, sourceEnd, flags.from));
  try {
    const target = await connect(connectionOptions(command, targetEnd, flags.to));
    try {
      await importAll(source, target, flags);
    } finally {
      target.close();
    }
  } finally {
    source.close();
  }
}

async function importAll(source: Connection, target: Connection, flags: ImportFlags): Promise<void> {
  const progress = new Progress(process.stderr, () => performance.now());
  const startedMs = performance.now();
  const options = { prefix: flags.prefix, extraKeys: extraKeys(flags) };
  const result = await copyStore(source, target, options, progress).finally(() => progress.clear());
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  process.stdout.write(`${summary(result, seconds)}\n`);
  failIfIncomplete(result);
}

function extraKeys({ deleteExtra, keepExtra }: ImportFlags): ExtraKeys {
  if (deleteExtra === true) return "delete";
  return keepExtra === true ? "keep" : "refuse";
}

/** One line, whatever happened: "3,000 keys copied, 0 unchanged, 0 deleted; 12 leases; revision 4711; 0.8 s". */
function summary(result: CopyResult, seconds: string): string {
  const { copied, unchanged, deleted, kept, ended, leasesPresent, leasesGranted, revision } = result;
  const parts = [`${counted(copied, "key")} copied, ${unchanged} unchanged, ${deleted} deleted`];
  if (kept > 0) parts.push(`${counted(kept, "key")} of the target's own kept`);
  if (ended > 0) parts.push(`${counted(ended, "key")} left out because their leases ended meanwhile`);
  parts.push(`${counted(leasesPresent, "lease")}, ${leasesGranted} of them new`);
  return [...parts, `source at revision ${revision}`, `${seconds} s`].join("; ");
}

/** Throws `IncompleteError` if running it again would do something that this run meant to do. */
function failIfIncomplete({ changedMeanwhile, leasesLost }: CopyResult): void {
  const left: string[] = [];
  if (changedMeanwhile.length > 0) {
    const names = changedMeanwhile.slice(0, importLimits.keysNamed).map((key) => JSON.stringify(key));
    const more = changedMeanwhile.length > names.length ? ", …" : "";
    left.push(
      `${counted(changedMeanwhile.length, "key")} changed at the target meanwhile (${names.join(", ")}${more})`,
    );
  }
  if (leasesLost > 0) left.push(`${counted(leasesLost, "lease")} ended at the target meanwhile`);
  if (left.length > 0) throw new IncompleteError(`${left.join(" and ")}; run the import again`);
}

/** Nothing needs to be put in order: whatever was written stays, and the next run goes on from there. */
function stopOnInterrupt(): void {
  const stop = (): void => {
    process.stderr.write("\nholdfast: interrupted; run the same command again to go on\n");
    process.exit(exitCodes.interrupted);
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}
