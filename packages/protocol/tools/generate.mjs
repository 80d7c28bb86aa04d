// Generates src/generated from the .proto files: `npm run generate -w @holdfast/protocol`.
// With `--check` it writes nothing and fails when the files are not up to date.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { emitFiles } from "./generator/emit-files.mjs";
import { emitFileDescriptors } from "./generator/emit-file-descriptors.mjs";
import { loadRoot, modelOf } from "./generator/model.mjs";

const packageDirectory = fileURLToPath(new URL("..", import.meta.url));
const outputDirectory = join(packageDirectory, "src", "generated");

/** The generated files as they should be: name to text. */
export function generateFiles() {
  const protoDirectory = join(packageDirectory, "proto");
  const root = loadRoot(protoDirectory);
  const files = emitFiles(modelOf(root));
  return files.set("file-descriptors.ts", emitFileDescriptors(root, protoDirectory));
}

/** Names of the files in src/generated that differ from what would be generated, are missing, or are too many. */
export function staleFiles() {
  const wanted = generateFiles();
  const present = readdirSync(outputDirectory);
  const differing = [...wanted].filter(
    ([name, text]) => !present.includes(name) || readFileSync(join(outputDirectory, name), "utf8") !== text,
  );
  return [...differing.map(([name]) => name), ...present.filter((name) => !wanted.has(name))];
}

function write() {
  mkdirSync(outputDirectory, { recursive: true });
  const files = generateFiles();
  for (const name of readdirSync(outputDirectory)) if (!files.has(name)) rmSync(join(outputDirectory, name));
  for (const [name, text] of files) writeFileSync(join(outputDirectory, name), text);
  console.log(`wrote ${files.size} files to src/generated`);
}

function check() {
  const stale = staleFiles();
  if (stale.length === 0) return;
  console.error(`stale: ${stale.join(", ")}; run \`npm run generate -w @holdfast/protocol\``);
  process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(argv[1]).href) {
  if (argv.includes("--check")) check();
  else write();
}
