/**
 * What one user may do, worked out from the roles held: the union of their permissions (AUTH-16).
 */
import type { ByteString, Permission } from "@holdfast/protocol";
import type { IntervalSet } from "../interval-set.js";
import { endOfKeys, isSingleKey, openRangeEnd } from "../key-interval.js";
import type { UserRecord } from "./auth-types.js";
import { rootRole } from "./names.js";
import { readableKeys, writableKeys } from "./permissions.js";

export class UserAccess {
  /** Whether the user may do everything (AUTH-19). */
  readonly isRoot: boolean;
  readonly #readable: IntervalSet;
  readonly #writable: IntervalSet;

  /** `permissions` are those of all roles of `user`. */
  constructor(user: UserRecord, permissions: readonly Permission[]) {
    this.isRoot = user.roles.includes(rootRole);
    this.#readable = readableKeys(permissions);
    this.#writable = writableKeys(permissions);
  }

  /** Whether all keys of an interval (KV-1) may be read. */
  mayRead(key: ByteString, rangeEnd: ByteString): boolean {
    return this.isRoot || coversAll(this.#readable, key, rangeEnd);
  }

  /** Whether all keys of an interval (KV-1) may be written and deleted. */
  mayWrite(key: ByteString, rangeEnd: ByteString): boolean {
    return this.isRoot || coversAll(this.#writable, key, rangeEnd);
  }
}

function coversAll(keys: IntervalSet, key: ByteString, rangeEnd: ByteString): boolean {
  if (isSingleKey(rangeEnd)) return keys.has(key);
  return keys.covers(key, rangeEnd === openRangeEnd ? endOfKeys : rangeEnd);
}
