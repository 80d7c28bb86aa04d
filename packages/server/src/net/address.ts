/** Where to listen: "host:port", "[v6]:port", ":port", or "unix:/path". */

export type ListenAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** Thrown for an address nobody can listen on; the message names it and says what is wanted. */
export class InvalidAddressError extends Error {
  constructor(text: string) {
    super(`invalid address "${text}": want host:port, [ipv6]:port or unix:/path`);
    this.name = "InvalidAddressError";
  }
}

/** Reads one address. An `http://` in front, as etcd's flags have it, is accepted. Throws `InvalidAddressError`. */
export function parseListenAddress(text: string): ListenAddress {
  const bare = text.replace(/^http:\/\//, "").replace(/\/$/, "");
  if (bare.startsWith("unix:") && bare.length > 5) return { kind: "unix", path: bare.slice(5).replace(/^\/\//, "") };
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/]*)):(\d{1,5})$/.exec(bare);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw new InvalidAddressError(text);
  return { kind: "tcp", host: match[1] ?? (match[2] || "0.0.0.0"), port };
}

/** The address as a person would type it. */
export function formatAddress(address: ListenAddress): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** Whether only programs on this machine can reach the address. */
export function isLocal(address: ListenAddress): boolean {
  if (address.kind === "unix") return true;
  return address.host === "localhost" || address.host === "::1" || address.host.startsWith("127.");
}

/** The address as a client URL; a wildcard host becomes the loopback one. */
export function clientUrl(address: ListenAddress): string {
  if (address.kind === "unix") return formatAddress(address);
  const isWildcard = address.host === "0.0.0.0" || address.host === "::";
  return `http://${formatAddress(isWildcard ? { ...address, host: "127.0.0.1" } : address)}`;
}
