/**
 * Who has failed to log in so often that the next try is refused before a password is looked at (fault-model F49).
 *
 * Failures count against the name and against the address they came from, whether or not there is such a user, so that
 * neither one name can be guessed at from everywhere nor all names from one place. Alone that would let anybody lock anybody
 * out. So who has logged in with the right password is known from then on, as this user at this address, and is held against
 * its own failures only.
 */
import { hash } from "node:crypto";
import { isIPv6 } from "node:net";
import { Backoffs } from "./backoffs.js";

export interface LoginLimits {
  /** Failed logins of one user name after which the next has to wait. */
  readonly loginFailuresPerUser: number;
  /** Failed logins from one address (of IPv6, one /64) after which the next has to wait. */
  readonly loginFailuresPerAddress: number;
  /** The first wait; it doubles with every failure. */
  readonly loginBackoffMinMs: number;
  /** The longest wait. */
  readonly loginBackoffMaxMs: number;
  /** After this long without one, failures are forgotten. */
  readonly loginFailuresForgottenMs: number;
  /** Names, addresses, and users known at an address, that are remembered: so many of each. */
  readonly loginsRemembered: number;
}

/** Made by `LoginThrottle.attempt`. Names are kept as digests: they may be long, and people type passwords where names belong. */
export interface LoginAttempt {
  readonly user: string;
  readonly place: string;
  readonly client: string;
}

/** Why a login was refused without looking at its password. */
export type LoginRefusal = "user" | "address" | "client";

export interface LoginCounters {
  granted: number;
  failed: number;
  /** Refused because of failures with the same name. */
  refusedUser: number;
  /** Refused because of failures from the same address. */
  refusedAddress: number;
  /** Refused because of failures of this user at this address, which is known. */
  refusedClient: number;
  /** Refused because too many passwords waited to be checked. */
  refusedBusy: number;
}

export class LoginThrottle {
  readonly counters: LoginCounters = {
    granted: 0,
    failed: 0,
    refusedUser: 0,
    refusedAddress: 0,
    refusedClient: 0,
    refusedBusy: 0,
  };
  readonly #users: Backoffs;
  readonly #addresses: Backoffs;
  /** Users known at an address. */
  readonly #clients: Backoffs;
  readonly #nowMs: () => number;

  constructor(limits: LoginLimits, nowMs: () => number) {
    const shared = {
      waitMinMs: limits.loginBackoffMinMs,
      waitMaxMs: limits.loginBackoffMaxMs,
      forgottenAfterMs: limits.loginFailuresForgottenMs,
      namesMax: limits.loginsRemembered,
    };
    this.#users = new Backoffs({ ...shared, failuresFree: limits.loginFailuresPerUser });
    this.#addresses = new Backoffs({ ...shared, failuresFree: limits.loginFailuresPerAddress });
    this.#clients = new Backoffs({ ...shared, failuresFree: limits.loginFailuresPerUser });
    this.#nowMs = nowMs;
  }

  /** Names, addresses and known clients remembered. */
  get remembered(): number {
    return this.#users.size + this.#addresses.size + this.#clients.size;
  }

  /** One login of `userName` from `address`, which is empty on a Unix socket. */
  attempt(userName: string, address: string): LoginAttempt {
    const place = placeOf(address);
    return { user: digestOf(userName), place, client: digestOf(`${place}\0${userName}`) };
  }

  /** Whether this user has logged in from this address before. */
  isKnown({ client }: LoginAttempt): boolean {
    return this.#clients.knows(client);
  }

  /** Why it must not be tried now; undefined if it may. */
  refusal({ user, place, client }: LoginAttempt): LoginRefusal | undefined {
    const nowMs = this.#nowMs();
    if (this.#clients.knows(client)) return this.#clients.waits(client, nowMs) ? "client" : undefined;
    if (this.#users.waits(user, nowMs)) return "user";
    return place !== "" && this.#addresses.waits(place, nowMs) ? "address" : undefined;
  }

  /** It was refused, for this reason or because too many passwords waited. */
  refused(why: LoginRefusal | undefined): void {
    if (why === "user") this.counters.refusedUser++;
    else if (why === "address") this.counters.refusedAddress++;
    else if (why === "client") this.counters.refusedClient++;
    else this.counters.refusedBusy++;
  }

  failed({ user, place, client }: LoginAttempt): void {
    this.counters.failed++;
    const nowMs = this.#nowMs();
    if (this.#clients.knows(client)) {
      this.#clients.failed(client, nowMs);
      return;
    }
    this.#users.failed(user, nowMs);
    if (place !== "") this.#addresses.failed(place, nowMs);
  }

  /** What others have failed at stays counted: who has one password might guess at the rest from the same address. */
  granted({ client }: LoginAttempt): void {
    this.counters.granted++;
    this.#clients.welcome(client, this.#nowMs());
  }
}

/** What one peer can hardly change: the address, of IPv6 its first half. Empty on a Unix socket, where there is none. */
function placeOf(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped ?? `${firstHalf(address)}/64`;
}

/** The first four groups of an IPv6 address, written out. */
function firstHalf(address: string): string {
  const [head = "", tail = ""] = address.replace(/%.*$/, "").split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  return [...before, ...(address.includes("::") ? zeros : []), ...after].slice(0, 4).join(":").toLowerCase();
}

function digestOf(name: string): string {
  return hash("sha256", name, "base64");
}
