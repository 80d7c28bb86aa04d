/**
 * Loads what `holdfast serve` consists of from one script, if `tools/bundle.mjs` has made one and nothing was built since,
 * with the code that V8 has compiled of it already: finding, reading and compiling some 400 modules takes most of a start.
 * Whatever is wrong with the script, the modules themselves are there. They are also what is run where something was loaded
 * into Node.js ahead of us: it may be there to watch or replace some of them.
 */
import type { Script } from "node:vm";

// Asked for like this since an `import` lists what they export, and for that loads what nobody needs: 4 ms of a start.
const { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } = process.getBuiltinModule("node:fs");
const { createRequire } = process.getBuiltinModule("node:module");
const { dirname, join } = process.getBuiltinModule("node:path");
const { fileURLToPath, pathToFileURL } = process.getBuiltinModule("node:url");
const vm = process.getBuiltinModule("node:vm");
const { crc32 } = process.getBuiltinModule("node:zlib");

/** Every Node.js that we run on has it; the compiler's library does not. */
const ResizableBuffer = ArrayBuffer as new (byteLength: number, options: { maxByteLength: number }) => ArrayBuffer;

/** The script, what V8 made of it, and what they were made from; beside this file. */
export const bundleFiles = { script: "serve-bundle.txt", code: "serve-bundle.code", manifest: "serve-bundle.json" };

export interface BundleManifest {
  /** CRC-32 of the two files: what a crash has left of them is not to be run. */
  readonly script: number;
  readonly code: number;
  /** When the compiler last wrote each package (`mtimeMs` of what it leaves there), by path from here. Not there in a published package. */
  readonly builds: Readonly<Record<string, number>>;
}

/** A script and the way to run it, which gives what its first module exports. */
export interface Compiled {
  readonly script: Script;
  run(): unknown;
}

const here = dirname(fileURLToPath(import.meta.url));

/** What `serve-command.js` exports. */
type ServeCommand = typeof import("./serve-command.js");

/** The exports of the bundle; undefined if there is none that can be used. */
export function loadBundle(folder: string = here): ServeCommand | undefined {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, bundleFiles.manifest), "utf8")) as BundleManifest;
    if (!isCurrent(manifest, folder)) return undefined;
    const script = readLarge(join(folder, bundleFiles.script));
    const code = readLarge(join(folder, bundleFiles.code));
    if (crc32(script) !== manifest.script || crc32(code) !== manifest.code) return undefined;
    return compileBundle(script, code).run() as ServeCommand;
  } catch {
    return undefined;
  }
}

/**
 * Reads a file into memory that is no business of the C library: an array that could be resized is mapped by V8 itself. Of a
 * piece of 1.4 MB the C library would learn, once it is freed, to keep as much and twice that again in each thread: 1.7 MB more
 * of a server that has taken 100,000 keys, since V8's threads compile in such memory.
 */
function readLarge(path: string): Buffer {
  const file = openSync(path, "r");
  try {
    const byteLength = fstatSync(file).size;
    const bytes = Buffer.from(new ResizableBuffer(byteLength, { maxByteLength: byteLength }));
    return bytes.subarray(0, readSync(file, bytes, 0, byteLength, 0));
  } finally {
    closeSync(file);
  }
}

/** Whether Node.js was told to load something before the program, by its arguments or its variable NODE_OPTIONS. */
export function hasPreloads(execArgv: readonly string[], nodeOptions = ""): boolean {
  return [...execArgv, ...nodeOptions.split(/\s+/)].some((arg) =>
    /^(?:--import|--require|-r|--loader|--experimental-loader)(?:=|$)/.test(arg),
  );
}

/** Compiles the text of a bundle, which is ASCII. Code that is of another version of V8 is passed over. */
export function compileBundle(text: Buffer, code?: Buffer): Compiled {
  const cached = code === undefined ? {} : { cachedData: code };
  const script = new vm.Script(text.toString("latin1"), { filename: join(here, bundleFiles.script), ...cached });
  const run = (): unknown => {
    const make = script.runInThisContext() as (...doors: unknown[]) => unknown;
    const packages = new Packages();
    return make(
      (name: string, specifier: string) => packages.load(name, specifier),
      (name: string, file: string) => packages.urlOf(name, file),
    );
  };
  return { script, run };
}

function isCurrent({ builds }: BundleManifest, folder: string): boolean {
  return Object.entries(builds).every(([path, mtimeMs]) => {
    const found = statSync(join(folder, path), { throwIfNoEntry: false });
    return found === undefined || found.mtimeMs === mtimeMs;
  });
}

/** Where the packages are whose modules are in the bundle: this one, the server, and those the server depends on. */
class Packages {
  readonly #requires = new Map<string, NodeJS.Require>([["holdfast", createRequire(import.meta.url)]]);

  /** The module `specifier` as the package `name` would find it. Those of Node.js are the same for all. */
  load(name: string, specifier: string): unknown {
    return this.requireOf(specifier.startsWith("node:") ? "holdfast" : name)(specifier);
  }

  /** What finds modules as the package `name` would. */
  requireOf(name: string): NodeJS.Require {
    const known = this.#requires.get(name);
    if (known !== undefined) return known;
    const from = name === "@holdfast/server" ? "holdfast" : "@holdfast/server";
    const made = createRequire(this.requireOf(from).resolve(name));
    this.#requires.set(name, made);
    return made;
  }

  /** The address of a file in the package `name`, by its path there. */
  urlOf(name: string, file: string): string {
    if (name === "holdfast") return pathToFileURL(join(here, "..", file)).href;
    const from = name === "@holdfast/server" ? "holdfast" : "@holdfast/server";
    // The door of each package is dist/index.js.
    return pathToFileURL(join(dirname(this.requireOf(from).resolve(name)), "..", file)).href;
  }
}
