// How the Rust client is built and run; what it checks is in src/.
//
// The crate etcd-client compiles etcd's .proto files while it is built. The compiler for that comes with a crate of
// its own (protoc/), so that Cargo is all the machine needs. What is built lands in `target/`, which git ignores.

import { spawnSync } from "node:child_process";
import { join } from "node:path";

const protocArgs = ["--manifest-path", "protoc/Cargo.toml", "--target-dir", "target/protoc"];

/** The path that protoc/ prints; called when its build is over. */
function protocPath(folder) {
  const program = spawnSync(join(folder, "target/protoc/debug/protoc-path"), { encoding: "utf8" });
  if (program.status !== 0) {
    throw new Error(`protoc-path: ${program.error?.message ?? program.stderr}`);
  }
  return program.stdout.trim();
}

/** @type {import("../driver/suites.mjs").Suite} */
export const suite = {
  needs: ["cargo"],
  *build({ folder }) {
    yield { command: "cargo", args: ["build", "--quiet", ...protocArgs] };
    yield { command: "cargo", args: ["build", "--quiet"], env: { PROTOC: protocPath(folder) } };
  },
  run: ({ folder }) => ({ command: join(folder, "target/debug/holdfast-conformance-rust"), args: [] }),
  buildDeadlineSeconds: 900,
  runDeadlineSeconds: 120,
};
