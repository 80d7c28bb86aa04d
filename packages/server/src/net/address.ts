/** Addresses: where to listen, as people and etcd's flags write it, and the URLs that clients are told. */
import { BlockList, isIP } from "node:net";

interface TcpAddress {
  readonly kind: "tcp";
  readonly host: string;
  readonly port: number;
  /** Whether TLS is spoken there. */
  readonly secure: boolean;
}

interface UnixAddress {
  readonly kind: "unix";
  readonly path: string;
  readonly secure: boolean;
}

export type ListenAddress = TcpAddress | UnixAddress;

const wanted = "want host:port, [ipv6]:port, unix:/path, or one of them behind http://, https:// or unixs:";

/** Thrown for an address nobody can listen on or connect to; the message names it and says what is wanted. */
export class InvalidAddressError extends Error {
  constructor(text: string, reason: string = wanted) {
    super(`invalid address "${text}": ${reason}`);
    this.name = "InvalidAddressError";
  }
}

/** The system's field for it has 108 bytes, the last of them a zero. A longer path would be cut without a word. */
const unixPathBytesMax = 107;
const portMax = 65_535;
const scheme = /^(https?|unixs?):(?:\/\/)?/;

/**
 * Reads one address: "host:port", "[v6]:port", ":port", "http://…", "https://…", "unix:/path" or "unixs:/path"; two
 * slashes behind "unix:" are accepted. Throws `InvalidAddressError`.
 */
export function parseListenAddress(text: string): ListenAddress {
  const [head = "", name] = scheme.exec(text) ?? [];
  const rest = text.slice(head.length);
  if (name === "unix" || name === "unixs") return unixAddress(text, rest, name === "unixs");
  if (head !== "" && !head.endsWith("//")) throw new InvalidAddressError(text);
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/]*)):(\d+)$/.exec(head === "" ? rest : rest.replace(/\/$/, ""));
  const port = Number(match?.[3]);
  if (match === null) throw new InvalidAddressError(text);
  if (port > portMax)
    throw new InvalidAddressError(text, `port ${match[3]} is too large, a port is from 0 to ${portMax}`);
  return { kind: "tcp", host: match[1] ?? (match[2] || "0.0.0.0"), port, secure: name === "https" };
}

function unixAddress(text: string, path: string, secure: boolean): UnixAddress {
  if (path === "") throw new InvalidAddressError(text);
  const bytes = Buffer.byteLength(path);
  if (bytes > unixPathBytesMax) {
    throw new InvalidAddressError(
      text,
      `the path has ${bytes} bytes, a Unix socket's has ${unixPathBytesMax} at the most`,
    );
  }
  return { kind: "unix", path, secure };
}

/** The address as a person would type it, without http:// or https://. */
export function formatAddress(address: ListenAddress): string {
  if (address.kind === "unix") return `${address.secure ? "unixs" : "unix"}:${address.path}`;
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether only programs on this machine can reach the address. Of names, only "localhost" is known to mean that. */
export function isLocal(address: ListenAddress): boolean {
  if (address.kind === "unix") return true;
  const version = isIP(address.host);
  if (version === 0) return address.host.toLowerCase() === "localhost";
  return loopback.check(address.host, version === 4 ? "ipv4" : "ipv6");
}

/** Whether the address stands for all of the machine's. */
export function isWildcard(address: ListenAddress): boolean {
  return address.kind === "tcp" && (address.host === "0.0.0.0" || address.host === "::");
}

/** The address as a client URL, as MemberList shows it; a wildcard host becomes the loopback one. */
export function clientUrl(address: ListenAddress): string {
  if (address.kind === "unix") return `${address.secure ? "unixs" : "unix"}://${address.path}`;
  const reachable = isWildcard(address) ? { ...address, host: "127.0.0.1" } : address;
  return `${address.secure ? "https" : "http"}://${formatAddress(reachable)}`;
}

/** The address as etcd's clients take it: short, but with https:// where a bare one would mean clear text. */
export function endpointOf(address: ListenAddress): string {
  return address.kind === "tcp" && address.secure ? `https://${formatAddress(address)}` : formatAddress(address);
}

/**
 * Checks a URL that clients are to be told: http, https, unix or unixs, with a port and without a path, as etcd wants
 * them. Throws `InvalidAddressError`.
 */
export function checkAdvertisedUrl(text: string): string {
  if (!/^(https?|unixs?):\/\//.test(text)) {
    throw new InvalidAddressError(text, "a URL to advertise begins with http://, https://, unix:// or unixs://");
  }
  if (/^https?:\/\/:/.test(text)) throw new InvalidAddressError(text, "a URL to advertise needs a host");
  parseListenAddress(text);
  return text;
}
