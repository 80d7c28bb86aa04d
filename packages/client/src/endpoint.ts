/** Endpoints, as people and etcd's clients write them. */
import { ClientOptionError } from "./errors.js";

export type Endpoint =
  | {
      readonly kind: "tcp";
      readonly text: string;
      readonly host: string;
      readonly port: number;
      readonly secure: Secure;
    }
  | { readonly kind: "unix"; readonly text: string; readonly path: string; readonly secure: Secure };

/** Whether TLS is spoken; "if-set-up" where only the host is named: it is if there are TLS options. */
export type Secure = "yes" | "no" | "if-set-up";

const scheme = /^(https?|unixs?):(?:\/\/)?/;

/**
 * Reads "host:port", "[ipv6]:port", "http://…", "https://…", "unix:/path" or "unixs:/path" (two slashes behind "unix:" are
 * accepted). Throws `ClientOptionError`.
 */
export function parseEndpoint(text: string): Endpoint {
  const [head = "", name] = scheme.exec(text) ?? [];
  const rest = text.slice(head.length);
  const secure = name === undefined ? "if-set-up" : name.endsWith("s") ? "yes" : "no";
  if (name?.startsWith("unix") === true) {
    if (rest === "") throw invalid(text);
    return { kind: "unix", text, path: rest, secure };
  }
  if (head !== "" && !head.endsWith("//")) throw invalid(text);
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/@\s]+)):(\d{1,5})\/?$/.exec(rest);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) throw invalid(text);
  return { kind: "tcp", text, host: (match[1] ?? match[2]) as string, port, secure };
}

function invalid(text: string): ClientOptionError {
  return new ClientOptionError(
    `invalid endpoint "${text}": want host:port, [ipv6]:port, http://host:port, https://host:port, unix:/path or unixs:/path`,
  );
}
