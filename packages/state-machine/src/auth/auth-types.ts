/**
 * The vocabulary of authentication, permissions and alarms: who asks, what can be asked to change, what is stored.
 *
 * Passwords are hashed, and tokens made and checked, by the services; the core knows hashes and names only.
 */
import type { AlarmMember, ByteString, Permission } from "@holdfast/protocol";

/** On whose behalf a command or a read runs. `undefined` stands for nobody: enough only while authentication is off. */
export interface Caller {
  readonly userName: string;
  /** The auth revision that the caller's token stands for (AUTH-11). */
  readonly authRevision: number;
}

/**
 * The server itself: lease ends, cleaning up after cancelled waiters (LOCK-25), compacting by schedule, raising alarms.
 * Never refused for want of permission (AUTH-21). Recognised by identity, so that no user can take its name.
 */
export const systemCaller: Caller = Object.freeze({ userName: "", authRevision: 0 });

/** What can be asked to change users, roles and permissions, or whether these are looked at. */
export type AuthCommand =
  | { readonly kind: "authEnable" }
  | { readonly kind: "authDisable" }
  /** `passwordHash` is "" for a user who has none. */
  | { readonly kind: "userAdd"; readonly name: string; readonly passwordHash: string; readonly noPassword: boolean }
  | { readonly kind: "userDelete"; readonly name: string }
  | { readonly kind: "userChangePassword"; readonly name: string; readonly passwordHash: string }
  | { readonly kind: "userGrantRole"; readonly userName: string; readonly roleName: string }
  | { readonly kind: "userRevokeRole"; readonly userName: string; readonly roleName: string }
  | { readonly kind: "roleAdd"; readonly name: string }
  | { readonly kind: "roleDelete"; readonly name: string }
  | {
      readonly kind: "roleGrantPermission";
      readonly roleName: string;
      readonly permission: Permission | undefined;
    }
  | {
      readonly kind: "roleRevokePermission";
      readonly roleName: string;
      readonly key: ByteString;
      readonly rangeEnd: ByteString;
    };

/** Raises or clears an alarm (MAINT-3). `alarm` is an `AlarmType`. */
export interface AlarmCommand {
  readonly kind: "alarm";
  readonly action: "activate" | "deactivate";
  readonly memberId: bigint;
  readonly alarm: number;
}

/** An auth command that was carried out; the services build the answer. */
export type AuthOutcome = { readonly [Kind in AuthCommand["kind"]]: { readonly kind: Kind } }[AuthCommand["kind"]];

/** The alarm that was touched, or none. */
export interface AlarmOutcome {
  readonly kind: "alarm";
  readonly alarms: readonly AlarmMember[];
}

/** Why something was refused that has to do with users, roles, permissions or alarms: one per error of etcd. */
export type AuthRefusal =
  | "no-space"
  | "corrupt"
  /** Nobody asks for what only somebody may do. */
  | "user-empty"
  | "user-name-empty"
  | "role-name-empty"
  | "user-exists"
  | "user-not-found"
  | "role-exists"
  | "role-not-found"
  | "role-not-granted"
  | "permission-not-granted"
  | "permission-not-given"
  | "permission-denied"
  | "auth-not-enabled"
  | "root-user-missing"
  | "root-role-missing"
  | "invalid-auth-management"
  | "auth-revision-old";

/** A user as stored; replaced, never changed. */
export interface UserRecord {
  readonly name: string;
  /** "" for none: nobody can log in with a password (AUTH-15). */
  readonly passwordHash: string;
  /** Whether the user was made to have no password (AUTH-8). */
  readonly noPassword: boolean;
  /** In byte order (AUTH-24). */
  readonly roles: readonly string[];
}

/** A role as stored; replaced, never changed. */
export interface RoleRecord {
  readonly name: string;
  /** By key, and by range end where keys are equal (AUTH-17). */
  readonly permissions: readonly Permission[];
}

/** What can be read of users and roles. */
export interface AuthView {
  /** Whether permissions are looked at. */
  readonly enabled: boolean;
  /** Grows with each change that may matter to a permission (AUTH-25). */
  readonly revision: number;
  user(name: string): UserRecord | undefined;
  /** All users, in byte order of their names. */
  users(): Iterable<UserRecord>;
  /** Role `root` is shown as etcd shows it: with the one permission for everything (AUTH-2). */
  role(name: string): RoleRecord | undefined;
  /** All roles, in byte order of their names. */
  roles(): Iterable<RoleRecord>;
}
