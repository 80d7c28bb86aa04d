/**
 * How the two servers under test are started: their programs, their flags, their versions. Running them is left to
 * `server.ts`.
 *
 * Both keep their data on the same disk with their default durability: what they acknowledge is synced. Both get the
 * same space quota, so that a long run does not end in an alarm.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { root } from "../paths.js";
import type { TlsFiles } from "./tls.js";

/** Size of keys and history from which writes are refused. */
const quotaBytes = 8 * 2 ** 30;

/** Where one server shall run. */
export interface Place {
  readonly folder: string;
  readonly port: number;
  /** A second free port, for a server that needs one. */
  readonly peerPort: number;
  /** Serves its clients through TLS with these. */
  readonly tls?: TlsFiles | undefined;
  /** Arguments of Node.js itself; a server that does not run on it ignores them. */
  readonly nodeArgs?: readonly string[] | undefined;
}

/** One server program. */
export interface Launch {
  readonly name: "etcd" | "Holdfast";
  readonly version: string;
  readonly program: string;
  args(place: Place): string[];
}

/** The etcd to compare with: ETCD_BIN, the one that `npm run peers` builds, or the first on the PATH. */
export function findEtcd(): string | undefined {
  const built = join(root, "conformance", "peers", "bin", "etcd");
  const candidates = [process.env.ETCD_BIN, built, "etcd"].filter(
    (path): path is string => path !== undefined && path !== "",
  );
  return candidates.find((path) => spawnSync(path, ["--version"]).status === 0);
}

/**
 * How to start Holdfast: this workspace's, or the `dist/main.js` that BENCH_HOLDFAST names, of another build. Its version:
 * the package's, and the commit where there is one.
 */
export function holdfastLaunch(): Launch {
  const main = resolve(process.env.BENCH_HOLDFAST ?? join(root, "packages", "holdfast", "dist", "main.js"));
  const folder = dirname(dirname(main));
  return {
    name: "Holdfast",
    version: [packageVersion(folder), commit(folder)].filter((part) => part !== undefined).join(" "),
    program: process.execPath,
    args: ({ folder, port, tls, nodeArgs = [] }) => [
      ...nodeArgs,
      main,
      "serve",
      `--data-dir=${folder}`,
      `--listen=${scheme(tls)}127.0.0.1:${port}`,
      `--quota-backend-bytes=${quotaBytes}`,
      "--log-level=error",
      "--log-outputs=stderr",
      ...tlsArgs(tls),
    ],
  };
}

/** How to start the etcd at this path. */
export function etcdLaunch(binary: string): Launch {
  return {
    name: "etcd",
    version: etcdVersion(binary),
    program: binary,
    args: ({ folder, port, peerPort, tls }) => [
      `--data-dir=${folder}`,
      `--listen-client-urls=${scheme(tls)}127.0.0.1:${port}`,
      `--advertise-client-urls=${scheme(tls)}127.0.0.1:${port}`,
      `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peerPort}`,
      `--initial-cluster=default=http://127.0.0.1:${peerPort}`,
      `--quota-backend-bytes=${quotaBytes}`,
      "--log-level=error",
      ...tlsArgs(tls),
    ],
  };
}

/** Both servers read these alike. */
function tlsArgs(tls: TlsFiles | undefined): string[] {
  return tls === undefined ? [] : [`--cert-file=${tls.certificateFile}`, `--key-file=${tls.keyFile}`];
}

function scheme(tls: TlsFiles | undefined): string {
  return tls === undefined ? "http://" : "https://";
}

function packageVersion(folder: string): string {
  return (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string }).version;
}

/** Short, with a plus sign when what runs differs from it; undefined outside a repository. */
function commit(folder: string): string | undefined {
  const git = (...args: string[]) => spawnSync("git", args, { cwd: folder, encoding: "utf8" });
  const head = git("rev-parse", "--short", "HEAD");
  if (head.status !== 0) return undefined;
  const isChanged = git("status", "--porcelain", "--untracked-files=no", "--", dirname(folder)).stdout !== "";
  return `(${head.stdout.trim()}${isChanged ? "+" : ""})`;
}

function etcdVersion(binary: string): string {
  const { stdout } = spawnSync(binary, ["--version"], { encoding: "utf8" });
  return /etcd Version: (\S+)/.exec(stdout)?.[1] ?? "of unknown version";
}
