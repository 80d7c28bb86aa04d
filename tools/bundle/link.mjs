/**
 * Puts a built module and all of ours that it imports into one script: loading several hundred files takes the better part
 * of a start. What is not ours, Node's own modules among them, is left to `require`.
 */

import { readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { display, readJson, workspaceFolders } from "../workspace.mjs";
import { exportedNames, functionBody } from "./module-text.mjs";

/**
 * `text`: that of a function `($require, $moduleUrl)` that returns what the module at `entry` exports.
 * `$require(packageName, specifier)` must find what is not ours, as that package would; `$moduleUrl(packageName, file)` the
 * address of a built file of ours. `folders`: those of the packages that are in it.
 *
 * @throws Error for what cannot be bundled.
 */
export function link(top, entry) {
  const linker = new Linker(top);
  const root = linker.add(entry);
  const text = `(function ($require, $moduleUrl) {\n"use strict";\n${linker.text()}\nreturn ${root}();\n})`;
  return { text, folders: linker.folders() };
}

class Linker {
  #top;
  /** From a package's name to its folder. */
  #packages;
  /** From a file to what `exportedNames` says of it. */
  #exports = new Map();
  /** From a file to the name of the function that stands for it, in the order in which they are needed. */
  #names = new Map();
  #functions = [];

  constructor(top) {
    this.#top = top;
    this.#packages = new Map(
      workspaceFolders(top).map((folder) => [readJson(join(folder, "package.json")).name, folder]),
    );
  }

  /** Adds a file and what it imports; returns the name of the function that gives its exports. */
  add(file) {
    const known = this.#names.get(file);
    if (known !== undefined) return known;
    const name = `$${this.#names.size}`;
    this.#names.set(file, name);
    const text = readFileSync(file, "utf8");
    const body = functionBody({
      text,
      name: display(file, this.#top),
      resolve: (specifier) => this.#resolved(file, specifier),
      resolveName: (specifier, imported) => this.#origin(this.#ours(file, specifier), imported),
      resolveLater: (specifier) => `Promise.resolve().then(() => ${this.#resolved(file, specifier)})`,
      url: this.#url(file),
    });
    this.#functions.push(`// ${display(file, this.#top)}\nconst ${name} = $once(() => {\n${body}\n});\n`);
    return name;
  }

  folders() {
    return [...new Set([...this.#names.keys()].map((file) => this.#packageOf(file)[1]))];
  }

  text() {
    return `${onceText}\n${this.#functions.join("\n")}`;
  }

  #resolved(file, specifier) {
    const target = this.#ours(file, specifier);
    if (target !== undefined) return `${this.add(target)}()`;
    return `$require(${JSON.stringify(this.#packageOf(file)[0])}, ${JSON.stringify(specifier)})`;
  }

  /**
   * Where what `file` exports as `name` is made: most of ours is imported from the door of its package, which would else be an object
   * of everything that the package has to offer. Undefined for what is not ours.
   */
  #origin(file, name) {
    if (file === undefined) return undefined;
    const { own, passed, all } = this.#exportsOf(file);
    if (own.has(name)) return { module: `${this.add(file)}()`, name };
    const one = passed.get(name);
    if (one !== undefined) return this.#origin(this.#ours(file, one.specifier), one.name);
    for (const specifier of all) {
      const found = this.#origin(this.#ours(file, specifier), name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #exportsOf(file) {
    const known = this.#exports.get(file) ?? exportedNames(readFileSync(file, "utf8"));
    this.#exports.set(file, known);
    return known;
  }

  /** The file of ours that `specifier` names, if it is one. */
  #ours(file, specifier) {
    if (specifier.startsWith(".")) return join(dirname(file), specifier);
    const parts = specifier.split("/");
    const name = parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
    const folder = this.#packages.get(name);
    if (folder === undefined) return undefined;
    const { exports } = readJson(join(folder, "package.json"));
    const exposed = exports[`.${specifier.slice(name.length)}`];
    if (exposed === undefined) throw new Error(`${display(file, this.#top)}: ${specifier} is not exported`);
    return join(folder, exposed.default);
  }

  #url(file) {
    const [name, folder] = this.#packageOf(file);
    return `$moduleUrl(${JSON.stringify(name)}, ${JSON.stringify(relative(folder, file).split(sep).join("/"))})`;
  }

  /** Name and folder. */
  #packageOf(file) {
    return [...this.#packages].find(([, folder]) => file.startsWith(folder + sep));
  }
}

/** A module runs when it is first asked for, as it would by itself: those it imports run before it. */
const onceText = `function $once(run) {
  let exported;
  return () => (exported ??= run());
}`;
