/** Where a peer is, for what is counted by peer: connections (fault-model F25) and failed logins (F49). */

/**
 * What one peer can hardly change: its address, of IPv6 the first half (a /64), which is the least that anybody is given.
 * IPv4 in IPv6 is IPv4. Empty on a Unix socket, where there is none.
 */
export function placeOf(address: string): string {
  // Nothing but an IPv6 address has one. `isIPv6` compiles a long expression, 4 ms before the first answer of a server.
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped ?? `${firstHalf(address)}/64`;
}

/**
 * Whether the peer runs on this machine, as a proxy or a sidecar that speaks for many clients does. Only the two addresses
 * that a program gets without asking for another.
 */
export function isThisMachine(address: string): boolean {
  return address === "::1" || placeOf(address) === "127.0.0.1";
}

/** The first four groups of an IPv6 address, written out. */
function firstHalf(address: string): string {
  const [head = "", tail = ""] = address.replace(/%.*$/, "").split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  return [...before, ...(address.includes("::") ? zeros : []), ...after].slice(0, 4).join(":").toLowerCase();
}
