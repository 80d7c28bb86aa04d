/** The flags that say how a server is reached, for every command that reaches one; they have etcdctl's names. */
import type { ClientTlsOptions, ConnectOptions, Credentials } from "@holdfast/client";
import { type Command, Option } from "commander";
import { UsageError } from "../settings/usage-error.js";

/** Where a server listens unless it is told otherwise. */
export const defaultEndpoint = "http://127.0.0.1:2379";

/** One end of a command: the word its flags begin with, "" for none, and what help calls it. */
export interface End {
  readonly word: "" | "to";
  readonly title: string;
}

type Flag = "user" | "cacert" | "cert" | "key" | "serverName" | "insecureSkipTlsVerify";

/** Adds the flags of one end to `command`. */
export function addConnectionOptions(command: Command, { word, title }: End): Command {
  const flag = (name: string): string => (word === "" ? `--${name}` : `--${word}-${name}`);
  const variable = (name: string): string =>
    word === "" ? `HOLDFAST_${name}` : `HOLDFAST_${word.toUpperCase()}_${name}`;
  return command
    .addOption(new Option(`${flag("user")} <name:password>`, `who to log in as at the ${title}`).env(variable("USER")))
    .addOption(new Option(`${flag("cacert")} <file>`, `authorities that vouch for the ${title}, PEM`))
    .addOption(new Option(`${flag("cert")} <file>`, `certificate to show the ${title}, PEM`))
    .addOption(new Option(`${flag("key")} <file>`, "key of that certificate, PEM"))
    .addOption(new Option(`${flag("server-name")} <name>`, "name in its certificate, if not that of the endpoint"))
    .addOption(
      new Option(
        flag("insecure-skip-tls-verify"),
        "take any certificate; whoever sits in between can read and change all",
      ),
    );
}

/** What the flags say of one end. Throws `UsageError`. */
export function connectionOptions(command: Command, { word }: End, endpoints: string): ConnectOptions {
  const given = command.opts<Readonly<Record<string, string | boolean | undefined>>>();
  const flagValue = (name: Flag): string | boolean | undefined =>
    given[word === "" ? name : `${word}${name.slice(0, 1).toUpperCase()}${name.slice(1)}`];
  const user = flagValue("user");
  const tls = tlsOptions(flagValue);
  return {
    endpoints,
    ...(tls === undefined ? {} : { tls }),
    ...(user === undefined ? {} : { credentials: credentials(String(user)) }),
  };
}

function tlsOptions(flagValue: (name: Flag) => string | boolean | undefined): ClientTlsOptions | undefined {
  const fields = {
    caFile: flagValue("cacert"),
    certFile: flagValue("cert"),
    keyFile: flagValue("key"),
    serverName: flagValue("serverName"),
    insecureSkipVerify: flagValue("insecureSkipTlsVerify"),
  };
  const set = Object.entries(fields).filter(([, value]) => value !== undefined);
  return set.length === 0 ? undefined : (Object.fromEntries(set) as ClientTlsOptions);
}

function credentials(text: string): Credentials {
  const colon = text.indexOf(":");
  if (colon < 1) throw new UsageError("a user is given as name:password");
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
