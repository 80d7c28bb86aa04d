/**
 * Who has failed to log in so often that the next try is refused before a password is looked at (fault-model F49).
 *
 * Failures count against the name at the address they came from, against the address, and against the name, whether or not
 * there is such a user, so that neither one name can be guessed at from everywhere nor all names from one place. Nobody may
 * lock others out with that:
 *
 * - Long waits are for whoever has failed: a name at an address, and an address.
 * - What a name has to wait everywhere is short, and failures of those who go on failing do not touch who has not failed.
 * - Who has logged in with the right password is known from then on, as this user at this address, and is held against
 *   failures of this user there only; that wait is short too, since others may share the address (a proxy, a Unix socket).
 */
import { hash } from "node:crypto";
import { placeOf } from "../net/place.js";
import { Backoffs } from "./backoffs.js";

export interface LoginLimits {
  /** Failed logins of one user name, at one address and at all, after which the next has to wait. 0: it never has to. */
  readonly loginFailuresPerUser: number;
  /** Failed logins from one address (of IPv6, one /64) after which the next has to wait. 0: it never has to. */
  readonly loginFailuresPerAddress: number;
  /** The first wait; it doubles with every failure. */
  readonly loginBackoffMinMs: number;
  /** The longest wait of a user name at one address, and of an address. 0: nobody ever waits. */
  readonly loginBackoffMaxMs: number;
  /** The longest wait, if that is less, for what others may have done: of a user name everywhere, and of a user known at its address. */
  readonly loginBackoffSharedMaxMs: number;
  /** After this long without one, failures are forgotten. */
  readonly loginFailuresForgottenMs: number;
  /** Names (twice), addresses, users at an address and users known there that are remembered: so many of each. */
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
  /** Refused because of failures of this user at the same address. */
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
  /** Names, by failures of those who had failed before. */
  readonly #users: Backoffs;
  /** Names, by first failures: who goes on failing keeps out nobody who has not failed yet. */
  readonly #newcomers: Backoffs;
  readonly #addresses: Backoffs;
  /** Users at an address where they are not known. */
  readonly #strangers: Backoffs;
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
    const own = { ...shared, failuresFree: limits.loginFailuresPerUser };
    const waitMaxMs = Math.min(limits.loginBackoffMaxMs, limits.loginBackoffSharedMaxMs);
    this.#users = new Backoffs({ ...own, waitMaxMs });
    this.#newcomers = new Backoffs({ ...own, waitMaxMs });
    this.#addresses = new Backoffs({ ...shared, failuresFree: limits.loginFailuresPerAddress });
    this.#strangers = new Backoffs(own);
    this.#clients = new Backoffs({ ...own, waitMaxMs });
    this.#nowMs = nowMs;
  }

  /** Names, addresses and users at an address that are remembered. */
  get remembered(): number {
    const tables = [this.#users, this.#newcomers, this.#addresses, this.#strangers, this.#clients];
    return tables.reduce((sum, { size }) => sum + size, 0);
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
  refusal(attempt: LoginAttempt): LoginRefusal | undefined {
    const { user, place, client } = attempt;
    const nowMs = this.#nowMs();
    if (this.#clients.knows(client)) return this.#clients.waits(client, nowMs) ? "client" : undefined;
    if (this.#strangers.waits(client, nowMs)) return "client";
    if (this.#addresses.waits(place, nowMs)) return "address";
    return this.#namesLike(attempt, nowMs).waits(user, nowMs) ? "user" : undefined;
  }

  /** It was refused, for this reason or because too many passwords waited. */
  refused(why: LoginRefusal | undefined): void {
    if (why === "user") this.counters.refusedUser++;
    else if (why === "address") this.counters.refusedAddress++;
    else if (why === "client") this.counters.refusedClient++;
    else this.counters.refusedBusy++;
  }

  failed(attempt: LoginAttempt): void {
    const { user, place, client } = attempt;
    this.counters.failed++;
    const nowMs = this.#nowMs();
    if (this.#clients.knows(client)) {
      this.#clients.failed(client, nowMs);
      return;
    }
    this.#namesLike(attempt, nowMs).failed(user, nowMs);
    if (place === "") return;
    this.#strangers.failed(client, nowMs);
    this.#addresses.failed(place, nowMs);
  }

  /**
   * The name is eased. What others have failed at from the same address stays counted: who has one password might guess at
   * the rest.
   */
  granted({ user, client }: LoginAttempt): void {
    this.counters.granted++;
    for (const names of [this.#users, this.#newcomers]) names.ease(user);
    this.#strangers.forget(client);
    this.#clients.welcome(client, this.#nowMs());
  }

  /** Where the name is held against it. On a Unix socket nobody can be told from who has failed there before. */
  #namesLike({ place, client }: LoginAttempt, nowMs: number): Backoffs {
    return place === "" || this.#strangers.hasFailed(client, nowMs) ? this.#users : this.#newcomers;
  }
}

function digestOf(name: string): string {
  return hash("sha256", name, "base64");
}
