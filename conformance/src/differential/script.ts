// What a script is. See README.md for how to write one.

import type { Divergence } from "./compare.js";
import type { Session } from "./session.js";

/** What both servers need for a script beyond being fresh. */
export interface ScriptOptions {
  /** Further flags, the same for both servers; `{files}` stands for the folder of `files`, `{free}` for a free address. */
  readonly args?: readonly string[];
  /** Environment variables for both servers. */
  readonly env?: Readonly<Record<string, string>>;
  /** Files the flags name: their names and contents. */
  readonly files?: Readonly<Record<string, string>>;
  /** Serves TLS and demands client certificates; the script's first client is called `script`. */
  readonly tls?: boolean;
  /** How the two servers differ on purpose. */
  readonly divergences?: readonly Divergence[];
  /** How long one run may take; 30 unless given. */
  readonly secondsMax?: number;
}

/** One thing to do to both servers, and to compare. */
export interface Script {
  /** The rules it exercises, of docs/reference/etcd-behaviour.md. */
  readonly rules: readonly string[];
  readonly title: string;
  readonly options: ScriptOptions;
  run(session: Session): Promise<void>;
}

/** Defines a script. */
export function script(
  rules: string | readonly string[],
  title: string,
  run: (session: Session) => Promise<void>,
  options: ScriptOptions = {},
): Script {
  return { rules: typeof rules === "string" ? [rules] : rules, title, options, run };
}
