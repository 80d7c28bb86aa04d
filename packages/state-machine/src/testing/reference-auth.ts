/**
 * The slow and obvious version of authentication and alarms, for tests: written from the rules, sharing no code with
 * the machine.
 */
import type { AlarmMember, Compare, Permission, PutRequest, RequestOp, TxnRequest } from "@holdfast/protocol";
import { type AlarmCommand, type AuthCommand, type Caller, systemCaller } from "../auth/auth-types.js";
import type { Command, Refusal } from "../types.js";

interface Keys {
  readonly key: string;
  readonly rangeEnd: string;
}

/** What permissions ask of the rest of the state. */
export interface LeaseKeys {
  keysOf(leaseId: bigint): readonly string[];
}

type Need = Keys & { readonly type: "read" | "write" };

/** What raises the auth revision whether or not it changes anything that can be seen. */
const alwaysCount: readonly string[] = ["userChangePassword", "roleGrantPermission"];

export class ReferenceAuth {
  enabled = false;
  revision = 1;
  alarms: AlarmMember[] = [];
  readonly #users = new Map<string, { passwordHash: string; noPassword: boolean; roles: Set<string> }>();
  readonly #roles = new Map<string, Permission[]>();

  /** ORD-1: CORRUPT, NOSPACE, permissions. */
  refusal(command: Command, caller: Caller | undefined, leases: LeaseKeys): Refusal | undefined {
    const raised = this.alarms.map(({ alarm }) => alarm);
    if (raised.includes(2) && isStoppedByCorruption(command)) return "corrupt";
    if (raised.includes(1) && putsSomething(command)) return "no-space";
    if (!this.enabled || caller === systemCaller) return undefined;
    return this.#permissionRefusal(command, caller, leases);
  }

  alarm({ action, memberId, alarm }: AlarmCommand): AlarmMember[] {
    const others = this.alarms.filter((raised) => raised.alarm !== alarm || raised.memberId !== memberId);
    const wasRaised = others.length < this.alarms.length;
    if (action === "activate" && alarm === 0) return [];
    const raised = action === "activate" ? [...others, { memberId, alarm }] : others;
    this.alarms = raised.sort((left, right) => left.alarm - right.alarm || Number(left.memberId - right.memberId));
    return action === "activate" || wasRaised ? [{ memberId, alarm }] : [];
  }

  run(command: AuthCommand): Refusal | undefined {
    const before = this.#everything();
    const refusal = this.#change(command);
    const counts = alwaysCount.includes(command.kind) || this.#everything() !== before;
    if (refusal === undefined && counts && command.kind !== "authEnable") this.revision += 1;
    return refusal;
  }

  /** Everything that can be seen of users and roles, sorted. */
  view() {
    const users = [...this.#users].map(([name, user]) => ({ name, ...user, roles: [...user.roles].sort(byBytes) }));
    const roles = [...this.#roles].map(([name, permissions]) => {
      const shown = name === "root" ? [{ permType: 2, key: "", rangeEnd: "\0" }] : [...permissions].sort(byInterval);
      return { name, permissions: shown };
    });
    const byName = (left: { name: string }, right: { name: string }) => byBytes(left.name, right.name);
    return {
      enabled: this.enabled,
      revision: this.revision,
      users: users.sort(byName),
      roles: roles.sort(byName),
    };
  }

  #everything(): string {
    return JSON.stringify([this.enabled, this.view(), this.#roles.get("root")]);
  }

  #change(command: AuthCommand): Refusal | undefined {
    switch (command.kind) {
      case "authEnable":
        if (this.enabled) return undefined;
        if (!this.#users.has("root")) return "root-user-missing";
        if (!this.#users.get("root")!.roles.has("root")) return "root-role-missing";
        this.enabled = true;
        return undefined;
      case "authDisable":
        this.enabled = false;
        return undefined;
      case "userAdd":
        if (command.name === "") return "user-name-empty";
        if (this.#users.has(command.name)) return "user-exists";
        this.#users.set(command.name, {
          passwordHash: command.passwordHash,
          noPassword: command.noPassword,
          roles: new Set(),
        });
        return undefined;
      case "roleAdd":
        if (command.name === "") return "role-name-empty";
        if (this.#roles.has(command.name)) return "role-exists";
        this.#roles.set(command.name, []);
        return undefined;
      case "userDelete":
        if (this.enabled && command.name === "root") return "invalid-auth-management";
        return this.#users.delete(command.name) ? undefined : "user-not-found";
      case "userChangePassword": {
        const user = this.#users.get(command.name);
        if (user !== undefined && !user.noPassword) user.passwordHash = command.passwordHash;
        return user === undefined ? "user-not-found" : undefined;
      }
      case "userGrantRole":
      case "userRevokeRole":
        return this.#changeHeldRole(command.kind === "userGrantRole", command.userName, command.roleName);
      case "roleDelete":
        if (this.enabled && command.name === "root") return "invalid-auth-management";
        if (!this.#roles.delete(command.name)) return "role-not-found";
        for (const { roles } of this.#users.values()) roles.delete(command.name);
        return undefined;
      case "roleGrantPermission":
      case "roleRevokePermission":
        return this.#changePermission(command);
    }
  }

  #changeHeldRole(isGrant: boolean, userName: string, roleName: string): Refusal | undefined {
    if (!isGrant && this.enabled && userName === "root" && roleName === "root") return "invalid-auth-management";
    const user = this.#users.get(userName);
    if (user === undefined) return "user-not-found";
    if (!isGrant) return user.roles.delete(roleName) ? undefined : "role-not-granted";
    if (roleName !== "root" && !this.#roles.has(roleName)) return "role-not-found";
    user.roles.add(roleName);
    return undefined;
  }

  #changePermission(
    command: Extract<AuthCommand, { kind: "roleGrantPermission" | "roleRevokePermission" }>,
  ): Refusal | undefined {
    const isGrant = command.kind === "roleGrantPermission";
    if (isGrant && command.permission === undefined) return "permission-not-given";
    const { key, rangeEnd } = isGrant ? command.permission! : command;
    const isSound = key !== "" && (rangeEnd === "" || rangeEnd === "\0" || rangeEnd > key);
    if (isGrant && !isSound) return "invalid-auth-management";
    const permissions = this.#roles.get(command.roleName);
    if (permissions === undefined) return "role-not-found";
    const others = permissions.filter((one) => one.key !== key || one.rangeEnd !== rangeEnd);
    if (!isGrant && others.length === permissions.length) return "permission-not-granted";
    this.#roles.set(command.roleName, (isGrant ? [...others, command.permission!] : others).sort(byInterval));
    return undefined;
  }

  #permissionRefusal(command: Command, caller: Caller | undefined, leases: LeaseKeys): Refusal | undefined {
    if (command.kind === "leaseExpire") return caller === undefined ? undefined : "permission-denied";
    if (caller === undefined) return "user-empty";
    const user = this.#users.get(caller.userName);
    const isRoot = user?.roles.has("root") === true;
    const needs = needsOf(command, leases);
    if (needs === "root" && caller.userName === "") return "user-empty";
    if (needs === "root") return user === undefined ? "user-not-found" : isRoot ? undefined : "permission-denied";
    if (needs === "user") return user === undefined ? "permission-denied" : undefined;
    if (isRoot && command.kind === "leaseRevoke") return undefined;
    if (caller.authRevision === 0) return "user-empty";
    if (!(caller.authRevision >= this.revision)) return "auth-revision-old";
    if (isRoot) return undefined;
    return user !== undefined && needs.every((need) => this.#has(user.roles, need)) ? undefined : "permission-denied";
  }

  #has(roles: Set<string>, { type, key, rangeEnd }: Need): boolean {
    const types = type === "read" ? [0, 2] : [1, 2];
    const granted = [...roles].flatMap((name) => this.#roles.get(name) ?? []);
    return isCovered(
      { key, rangeEnd },
      granted.filter(({ permType }) => types.includes(permType)),
    );
  }
}

/** Whether the keys of an interval are all in some of the others: there is no gap at its beginning, and none behind. */
export function isCovered(wanted: Keys, granted: readonly Keys[]): boolean {
  const isIn = (point: string, { key, rangeEnd }: Keys) =>
    rangeEnd === "" ? point === key : point >= key && (rangeEnd === "\0" || point < rangeEnd);
  const ends = granted.filter(({ rangeEnd }) => rangeEnd !== "\0").map(endOf);
  const points = [wanted.key, ...ends.filter((end) => isIn(end, wanted) && end > wanted.key)];
  const hasEnd = wanted.rangeEnd !== "\0" || granted.some((one) => one.rangeEnd === "\0");
  return hasEnd && points.every((point) => granted.some((one) => isIn(point, one)));
}

function endOf({ key, rangeEnd }: Keys): string {
  return rangeEnd === "" ? `${key}\0` : rangeEnd;
}

/** The permissions that a command needs; or that only root may run it, or any user. */
function needsOf(command: Command, leases: LeaseKeys): "root" | "user" | Need[] {
  if (command.kind === "put") return needsOfPut(command.request, leases);
  if (command.kind === "deleteRange") return needsOfDelete(command.request);
  if (command.kind === "txn") return needsOfTxn(command.request, leases);
  if (command.kind === "leaseGrant") return "user";
  if (command.kind !== "leaseRevoke") return "root";
  const needs = needsOfLease(command.leaseId, leases);
  return needs.length === 0 ? "user" : needs;
}

function needsOfPut({ key, prevKv, lease }: PutRequest, leases: LeaseKeys): Need[] {
  const own: Need[] = [{ type: "write", key, rangeEnd: "" }];
  if (prevKv) own.push({ type: "read", key, rangeEnd: "" });
  return [...own, ...needsOfLease(lease, leases)];
}

function needsOfLease(leaseId: bigint, leases: LeaseKeys): Need[] {
  return leases.keysOf(leaseId).map((key) => ({ type: "write", key, rangeEnd: "" }));
}

function needsOfDelete({ key, rangeEnd, prevKv }: Keys & { readonly prevKv: boolean }): Need[] {
  const write: Need = { type: "write", key, rangeEnd };
  return prevKv ? [write, { type: "read", key, rangeEnd }] : [write];
}

function needsOfTxn({ compare, success, failure }: TxnRequest, leases: LeaseKeys): Need[] {
  const compared = compare.map(({ key, rangeEnd }: Compare): Need => ({ type: "read", key, rangeEnd }));
  return [...compared, ...[...success, ...failure].flatMap((operation) => needsOfOperation(operation, leases))];
}

function needsOfOperation(operation: RequestOp, leases: LeaseKeys): Need[] {
  const { requestRange, requestPut, requestDeleteRange, requestTxn } = operation;
  if (requestRange !== undefined) return [{ type: "read", key: requestRange.key, rangeEnd: requestRange.rangeEnd }];
  if (requestPut !== undefined) return needsOfPut(requestPut, leases);
  if (requestDeleteRange !== undefined) return needsOfDelete(requestDeleteRange);
  return requestTxn === undefined ? [] : needsOfTxn(requestTxn, leases);
}

function isStoppedByCorruption(command: Command): boolean {
  if (command.kind === "txn") {
    return [...command.request.success, ...command.request.failure].some((one) => one.requestRange === undefined);
  }
  return ["put", "deleteRange", "compact", "leaseGrant", "leaseRevoke"].includes(command.kind);
}

function putsSomething(command: Command): boolean {
  if (command.kind === "txn") return putsInside(command.request);
  return command.kind === "put" || command.kind === "leaseGrant";
}

function putsInside({ success, failure }: TxnRequest): boolean {
  const isPut = ({ requestPut, requestTxn }: RequestOp) =>
    requestPut !== undefined || (requestTxn !== undefined && putsInside(requestTxn));
  return success.some(isPut) || failure.some(isPut);
}

function byBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function byInterval(left: Keys, right: Keys): number {
  if (left.key !== right.key) return left.key < right.key ? -1 : 1;
  return left.rangeEnd < right.rangeEnd ? -1 : left.rangeEnd > right.rangeEnd ? 1 : 0;
}
