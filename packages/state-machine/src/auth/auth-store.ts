/**
 * Users, roles, and whether they are looked at.
 *
 * It carries out what it is told, refusing what etcd refuses for the state users and roles are in; who may tell it is
 * decided in `access.ts`.
 */
import type { ByteString, Permission } from "@holdfast/protocol";
import { recordOverheadBytes } from "../limits.js";
import type { AuthCommand, AuthRefusal, AuthView, RoleRecord, UserRecord } from "./auth-types.js";
import { compareNames, rootRole, rootUser } from "./names.js";
import { isGrantable, rootPermissions, withoutPermission, withPermission } from "./permissions.js";
import { RecordTable } from "./record-table.js";
import { UserAccess } from "./user-access.js";

export class AuthStore implements AuthView {
  readonly #users = new RecordTable<UserRecord>(userBytes);
  readonly #roles = new RecordTable<RoleRecord>(roleBytes);
  /** What users may do, as far as somebody asked since the last change. */
  readonly #accesses = new Map<string, UserAccess>();
  #enabled = false;
  #revision = 1;

  get enabled(): boolean {
    return this.#enabled;
  }

  get revision(): number {
    return this.#revision;
  }

  /** What users and roles are reckoned to take. */
  get bytes(): number {
    return this.#users.bytes + this.#roles.bytes;
  }

  user(name: string): UserRecord | undefined {
    return this.#users.get(name);
  }

  users(): readonly UserRecord[] {
    return this.#users.sorted();
  }

  role(name: string): RoleRecord | undefined {
    const role = this.#roles.get(name);
    return role === undefined ? undefined : asShown(role);
  }

  roles(): readonly RoleRecord[] {
    return this.#roles.sorted().map(asShown);
  }

  /** As `roles`, with the permissions that role `root` was really given. */
  storedRoles(): readonly RoleRecord[] {
    return this.#roles.sorted();
  }

  /** What a user may do now; undefined when there is no such user. */
  access(userName: string): UserAccess | undefined {
    const known = this.#accesses.get(userName);
    if (known !== undefined) return known;
    const user = this.#users.get(userName);
    if (user === undefined) return undefined;
    const access = new UserAccess(user, this.#permissionsOf(user));
    this.#accesses.set(userName, access);
    return access;
  }

  /** Carries out a command, or says why not; a refusal changes nothing. */
  apply(command: AuthCommand): AuthRefusal | undefined {
    switch (command.kind) {
      case "authEnable":
        return this.#enable();
      case "authDisable":
        return this.#disable();
      case "userAdd":
        return this.#addUser(command.name, command.passwordHash, command.noPassword);
      case "userDelete":
        return this.#deleteUser(command.name);
      case "userChangePassword":
        return this.#changePassword(command.name, command.passwordHash);
      case "userGrantRole":
        return this.#grantRole(command.userName, command.roleName);
      case "userRevokeRole":
        return this.#revokeRole(command.userName, command.roleName);
      case "roleAdd":
        return this.#addRole(command.name);
      case "roleDelete":
        return this.#deleteRole(command.name);
      case "roleGrantPermission":
        return this.#grantPermission(command.roleName, command.permission);
      case "roleRevokePermission":
        return this.#revokePermission(command.roleName, command.key, command.rangeEnd);
    }
  }

  /** Sets what a snapshot says of the whole. */
  restore(enabled: boolean, revision: number): void {
    this.#enabled = enabled;
    this.#revision = revision;
  }

  /** Adds or replaces a user as a snapshot has it. */
  restoreUser(user: UserRecord): void {
    this.#users.set(user);
  }

  /** Adds or replaces a role as a snapshot has it. */
  restoreRole(role: RoleRecord): void {
    this.#roles.set(role);
  }

  /** AUTH-1. */
  #enable(): AuthRefusal | undefined {
    if (this.#enabled) return undefined;
    const root = this.#users.get(rootUser);
    if (root === undefined) return "root-user-missing";
    if (!root.roles.includes(rootRole)) return "root-role-missing";
    this.#enabled = true;
    return undefined;
  }

  /** AUTH-6. */
  #disable(): undefined {
    if (!this.#enabled) return;
    this.#enabled = false;
    this.#changed();
  }

  #addUser(name: string, passwordHash: string, noPassword: boolean): AuthRefusal | undefined {
    if (name === "") return "user-name-empty";
    if (this.#users.has(name)) return "user-exists";
    this.#users.set({ name, passwordHash, noPassword, roles: [] });
    return this.#changed();
  }

  /** AUTH-5. */
  #deleteUser(name: string): AuthRefusal | undefined {
    if (this.#enabled && name === rootUser) return "invalid-auth-management";
    return this.#users.delete(name) ? this.#changed() : "user-not-found";
  }

  #changePassword(name: string, passwordHash: string): AuthRefusal | undefined {
    const user = this.#users.get(name);
    if (user === undefined) return "user-not-found";
    if (!user.noPassword) this.#users.set({ ...user, passwordHash });
    return this.#changed();
  }

  /** AUTH-2, AUTH-23: the root role need not exist, and granting a role already held changes nothing. */
  #grantRole(userName: string, roleName: string): AuthRefusal | undefined {
    const user = this.#users.get(userName);
    if (user === undefined) return "user-not-found";
    if (roleName !== rootRole && !this.#roles.has(roleName)) return "role-not-found";
    if (user.roles.includes(roleName)) return undefined;
    const roles = [...user.roles, roleName].sort(compareNames);
    this.#users.set({ ...user, roles });
    return this.#changed();
  }

  #revokeRole(userName: string, roleName: string): AuthRefusal | undefined {
    if (this.#enabled && userName === rootUser && roleName === rootRole) return "invalid-auth-management";
    const user = this.#users.get(userName);
    if (user === undefined) return "user-not-found";
    if (!user.roles.includes(roleName)) return "role-not-granted";
    this.#takeRole(user, roleName);
    return this.#changed();
  }

  #addRole(name: string): AuthRefusal | undefined {
    if (name === "") return "role-name-empty";
    if (this.#roles.has(name)) return "role-exists";
    this.#roles.set({ name, permissions: [] });
    return this.#changed();
  }

  /** AUTH-5, AUTH-24. */
  #deleteRole(name: string): AuthRefusal | undefined {
    if (this.#enabled && name === rootRole) return "invalid-auth-management";
    if (!this.#roles.delete(name)) return "role-not-found";
    for (const user of this.#users.sorted()) if (user.roles.includes(name)) this.#takeRole(user, name);
    return this.#changed();
  }

  #takeRole(user: UserRecord, roleName: string): void {
    this.#users.set({ ...user, roles: user.roles.filter((held) => held !== roleName) });
  }

  /** AUTH-17. A permission given again counts as a change. */
  #grantPermission(roleName: string, permission: Permission | undefined): AuthRefusal | undefined {
    if (permission === undefined) return "permission-not-given";
    if (!isGrantable(permission.key, permission.rangeEnd)) return "invalid-auth-management";
    const role = this.#roles.get(roleName);
    if (role === undefined) return "role-not-found";
    const permissions = withPermission(role.permissions, permission);
    this.#roles.set({ name: roleName, permissions });
    return this.#changed();
  }

  /** AUTH-18. */
  #revokePermission(roleName: string, key: ByteString, rangeEnd: ByteString): AuthRefusal | undefined {
    const role = this.#roles.get(roleName);
    if (role === undefined) return "role-not-found";
    const permissions = withoutPermission(role.permissions, key, rangeEnd);
    if (permissions === undefined) return "permission-not-granted";
    this.#roles.set({ name: roleName, permissions });
    return this.#changed();
  }

  #permissionsOf({ roles }: UserRecord): readonly Permission[] {
    return roles.flatMap((name) => this.#roles.get(name)?.permissions ?? []);
  }

  /** AUTH-25. */
  #changed(): undefined {
    this.#revision += 1;
    this.#accesses.clear();
  }
}

/** AUTH-2. */
function asShown(role: RoleRecord): RoleRecord {
  return role.name === rootRole ? { name: rootRole, permissions: rootPermissions } : role;
}

function userBytes({ name, passwordHash, roles }: UserRecord): number {
  return roles.reduce((sum, role) => sum + role.length, recordOverheadBytes + name.length + passwordHash.length);
}

function roleBytes({ name, permissions }: RoleRecord): number {
  const overheadBytes = recordOverheadBytes * (1 + permissions.length);
  return permissions.reduce((sum, one) => sum + one.key.length + one.rangeEnd.length, overheadBytes + name.length);
}
