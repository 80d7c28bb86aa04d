/**
 * Users, roles and alarms in a snapshot: held still, written, and read back with their sense checked.
 */
import {
  type AlarmMember,
  AlarmType,
  createUserAddOptions,
  type Permission,
  type Reader,
  type Role,
  readAlarmMember,
  readRole,
  readUser,
  type User,
} from "@holdfast/protocol";
import { SnapshotFormatError } from "../snapshot-format.js";
import { AlarmStore, compareAlarms } from "./alarms.js";
import { AuthStore } from "./auth-store.js";
import type { RoleRecord, UserRecord } from "./auth-types.js";
import { compareNames, rootRole, rootUser } from "./names.js";
import { compareIntervals, isGrantable } from "./permissions.js";

/** The state of authentication and alarms at one moment. */
export interface FrozenAuth {
  readonly enabled: boolean;
  readonly revision: number;
  readonly roles: readonly RoleRecord[];
  readonly users: readonly UserRecord[];
  readonly alarms: readonly AlarmMember[];
}

/** Copies lists only: what is in them never changes. */
export function freezeAuth(auth: AuthStore, alarms: AlarmStore): FrozenAuth {
  const { enabled, revision } = auth;
  return { enabled, revision, roles: auth.storedRoles(), users: auth.users(), alarms: alarms.all() };
}

/** How a role is written. */
export function roleMessage({ name, permissions }: RoleRecord): Role {
  return { name: Buffer.from(name), keyPermission: permissions };
}

/** How a user is written. */
export function userMessage({ name, passwordHash, noPassword, roles }: UserRecord): User {
  const options = noPassword ? createUserAddOptions({ noPassword }) : undefined;
  return { name: Buffer.from(name), password: Buffer.from(passwordHash), roles, options };
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Takes the records of a snapshot in their order. All methods throw `SnapshotFormatError` for what cannot be. */
export class AuthRestorer {
  readonly auth: AuthStore = new AuthStore();
  readonly alarms: AlarmStore = new AlarmStore();
  #lastRole: RoleRecord | undefined;
  #lastUser: UserRecord | undefined;
  #lastAlarm: AlarmMember | undefined;
  #isFinished = false;
  #roleCount = 0;
  #userCount = 0;

  /** Whether `finish` was called. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** The counts of roles, users and alarms so far. */
  get counts(): readonly number[] {
    return [this.#roleCount, this.#userCount, this.alarms.all().length];
  }

  role(reader: Reader): void {
    const { name, keyPermission } = readRole(reader, undefined);
    const role = { name: textOf(name), permissions: keyPermission };
    check(isNext(this.#lastRole, role), "roles without names or out of order");
    check(keyPermission.every(isSoundAmong), "impossible permissions");
    this.#lastRole = role;
    this.#roleCount += 1;
    this.auth.restoreRole(role);
  }

  user(reader: Reader): void {
    const { name, password, roles, options } = readUser(reader, undefined);
    const noPassword = options?.noPassword ?? false;
    const user = { name: textOf(name), passwordHash: textOf(password), noPassword, roles };
    check(isNext(this.#lastUser, user), "users without names or out of order");
    const isKnown = (role: string): boolean => role === rootRole || this.auth.role(role) !== undefined;
    check(roles.every(isKnown), "user with an unknown role");
    check(isAscending(roles, compareNames), "roles of a user out of order");
    this.#lastUser = user;
    this.#userCount += 1;
    this.auth.restoreUser(user);
  }

  alarm(reader: Reader): void {
    const alarm = readAlarmMember(reader, undefined);
    check(alarm.alarm !== AlarmType.NONE, "alarm without a type");
    check(this.#lastAlarm === undefined || compareAlarms(this.#lastAlarm, alarm) < 0, "alarms out of order");
    this.#lastAlarm = alarm;
    this.alarms.restore([...this.alarms.all(), alarm]);
  }

  /** Called last, with what the snapshot says of the whole. */
  finish(enabled: number, revision: number): void {
    check(enabled === 0 || enabled === 1, "authentication neither on nor off");
    check(revision >= 1, "impossible auth revision");
    const hasRoot = this.auth.user(rootUser)?.roles.includes(rootRole) === true;
    check(enabled === 0 || hasRoot, "authentication on without a root user");
    this.auth.restore(enabled === 1, revision);
    this.#isFinished = true;
  }
}

function isNext(last: { readonly name: string } | undefined, next: { readonly name: string }): boolean {
  return compareNames(last?.name ?? "", next.name) < 0;
}

function isSoundAmong(permission: Permission, index: number, all: readonly Permission[]): boolean {
  if (!isGrantable(permission.key, permission.rangeEnd)) return false;
  return index === 0 || compareIntervals(all[index - 1]!, permission) < 0;
}

function isAscending<Item>(items: readonly Item[], compare: (left: Item, right: Item) => number): boolean {
  return items.every((item, index) => index === 0 || compare(items[index - 1]!, item) < 0);
}

function textOf(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch (error) {
    throw new SnapshotFormatError("name that is not valid UTF-8", { cause: error });
  }
}

function check(holds: boolean, message: string): asserts holds {
  if (!holds) throw new SnapshotFormatError(message);
}
