/** The defaults of limits, from the modules that hold them. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../workspace.mjs";
import { limitModules } from "./limits-table.mjs";

/**
 * Every limit there is, by `<module>.<option>`, with its default. Throws if a module has not been built.
 */
export async function readDefaults(top = root, modules = limitModules) {
  const defaults = new Map();
  for (const [module, { file, name }] of Object.entries(modules)) {
    const path = join(top, file);
    if (!existsSync(path)) throw new Error(`${file} is missing: npm run build`);
    const exported = await import(pathToFileURL(path).href);
    for (const [option, value] of Object.entries(name === undefined ? exported : exported[name])) {
      if (typeof value === "number") defaults.set(`${module}.${option}`, value);
    }
  }
  return defaults;
}
