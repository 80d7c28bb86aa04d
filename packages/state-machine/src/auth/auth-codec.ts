/**
 * The bytes of auth commands and alarms in the log, behind the kind byte: the etcd requests that ask for them. A
 * password stands in `hashed_password`, never in `password`.
 */
import {
  AlarmAction,
  decodeAlarmRequest,
  decodeAuthRoleAddRequest,
  decodeAuthRoleDeleteRequest,
  decodeAuthRoleGrantPermissionRequest,
  decodeAuthRoleRevokePermissionRequest,
  decodeAuthUserAddRequest,
  decodeAuthUserChangePasswordRequest,
  decodeAuthUserDeleteRequest,
  decodeAuthUserGrantRoleRequest,
  decodeAuthUserRevokeRoleRequest,
  encodeSharedAlarmRequest,
  encodeSharedAuthDisableRequest,
  encodeSharedAuthEnableRequest,
  encodeSharedAuthRoleAddRequest,
  encodeSharedAuthRoleDeleteRequest,
  encodeSharedAuthRoleGrantPermissionRequest,
  encodeSharedAuthRoleRevokePermissionRequest,
  encodeSharedAuthUserAddRequest,
  encodeSharedAuthUserChangePasswordRequest,
  encodeSharedAuthUserDeleteRequest,
  encodeSharedAuthUserGrantRoleRequest,
  encodeSharedAuthUserRevokeRoleRequest,
  MalformedMessageError,
} from "@holdfast/protocol";
import type { AlarmCommand, AuthCommand } from "./auth-types.js";

/** The body of a command; may be a view that the next encoding overwrites. */
export function encodeAuthBody(command: AuthCommand | AlarmCommand): Uint8Array {
  switch (command.kind) {
    case "authEnable":
      return encodeSharedAuthEnableRequest({});
    case "authDisable":
      return encodeSharedAuthDisableRequest({});
    case "userAdd":
      return encodeUserAdd(command);
    case "userDelete":
      return encodeSharedAuthUserDeleteRequest({ name: command.name });
    case "userChangePassword":
      return encodeChangePassword(command);
    case "userGrantRole":
      return encodeSharedAuthUserGrantRoleRequest({ user: command.userName, role: command.roleName });
    case "userRevokeRole":
      return encodeSharedAuthUserRevokeRoleRequest({ name: command.userName, role: command.roleName });
    case "roleAdd":
      return encodeSharedAuthRoleAddRequest({ name: command.name });
    case "roleDelete":
      return encodeSharedAuthRoleDeleteRequest({ role: command.name });
    case "roleGrantPermission":
      return encodeSharedAuthRoleGrantPermissionRequest({ name: command.roleName, perm: command.permission });
    case "roleRevokePermission":
      return encodeRevokePermission(command);
    case "alarm":
      return encodeAlarm(command);
  }
}

/** How to read the body of each kind. All throw `MalformedMessageError`. */
export const authBodyDecoders = {
  authEnable: (_bytes, start, end) => emptyBody("authEnable", start, end),
  authDisable: (_bytes, start, end) => emptyBody("authDisable", start, end),
  userAdd: decodeUserAdd,
  userDelete: (bytes, start, end) => ({
    kind: "userDelete",
    name: decodeAuthUserDeleteRequest(bytes, start, end).name,
  }),
  userChangePassword: decodeChangePassword,
  userGrantRole: decodeGrantRole,
  userRevokeRole: decodeRevokeRole,
  roleAdd: (bytes, start, end) => ({ kind: "roleAdd", name: decodeAuthRoleAddRequest(bytes, start, end).name }),
  roleDelete: (bytes, start, end) => ({
    kind: "roleDelete",
    name: decodeAuthRoleDeleteRequest(bytes, start, end).role,
  }),
  roleGrantPermission: decodeGrantPermission,
  roleRevokePermission: decodeRevokePermission,
  alarm: decodeAlarm,
} as const satisfies {
  readonly [Kind in (AuthCommand | AlarmCommand)["kind"]]: (
    bytes: Uint8Array,
    start: number,
    end: number,
  ) => Extract<AuthCommand | AlarmCommand, { readonly kind: Kind }>;
};

type Kind<Name extends AuthCommand["kind"]> = Extract<AuthCommand, { readonly kind: Name }>;

function emptyBody<Name extends "authEnable" | "authDisable">(
  kind: Name,
  start: number,
  end: number,
): { readonly kind: Name } {
  if (start !== end) throw new MalformedMessageError("command longer than its kind");
  return { kind };
}

function encodeUserAdd({ name, passwordHash, noPassword }: Kind<"userAdd">): Uint8Array {
  const options = noPassword ? { noPassword } : undefined;
  return encodeSharedAuthUserAddRequest({ name, password: "", options, hashedPassword: passwordHash });
}

function decodeUserAdd(bytes: Uint8Array, start: number, end: number): Kind<"userAdd"> {
  const { name, options, hashedPassword } = decodeAuthUserAddRequest(bytes, start, end);
  return { kind: "userAdd", name, passwordHash: hashedPassword, noPassword: options?.noPassword ?? false };
}

function encodeChangePassword({ name, passwordHash }: Kind<"userChangePassword">): Uint8Array {
  return encodeSharedAuthUserChangePasswordRequest({ name, password: "", hashedPassword: passwordHash });
}

function decodeChangePassword(bytes: Uint8Array, start: number, end: number): Kind<"userChangePassword"> {
  const { name, hashedPassword } = decodeAuthUserChangePasswordRequest(bytes, start, end);
  return { kind: "userChangePassword", name, passwordHash: hashedPassword };
}

function decodeGrantRole(bytes: Uint8Array, start: number, end: number): Kind<"userGrantRole"> {
  const { user, role } = decodeAuthUserGrantRoleRequest(bytes, start, end);
  return { kind: "userGrantRole", userName: user, roleName: role };
}

function decodeRevokeRole(bytes: Uint8Array, start: number, end: number): Kind<"userRevokeRole"> {
  const { name, role } = decodeAuthUserRevokeRoleRequest(bytes, start, end);
  return { kind: "userRevokeRole", userName: name, roleName: role };
}

function decodeGrantPermission(bytes: Uint8Array, start: number, end: number): Kind<"roleGrantPermission"> {
  const { name, perm } = decodeAuthRoleGrantPermissionRequest(bytes, start, end);
  return { kind: "roleGrantPermission", roleName: name, permission: perm };
}

function encodeRevokePermission({ roleName, key, rangeEnd }: Kind<"roleRevokePermission">): Uint8Array {
  return encodeSharedAuthRoleRevokePermissionRequest({ role: roleName, key, rangeEnd });
}

function decodeRevokePermission(bytes: Uint8Array, start: number, end: number): Kind<"roleRevokePermission"> {
  const { role, key, rangeEnd } = decodeAuthRoleRevokePermissionRequest(bytes, start, end);
  return { kind: "roleRevokePermission", roleName: role, key, rangeEnd };
}

function encodeAlarm({ action, memberId, alarm }: AlarmCommand): Uint8Array {
  const number = action === "activate" ? AlarmAction.ACTIVATE : AlarmAction.DEACTIVATE;
  return encodeSharedAlarmRequest({ action: number, memberId, alarm });
}

function decodeAlarm(bytes: Uint8Array, start: number, end: number): AlarmCommand {
  const { action, memberId, alarm } = decodeAlarmRequest(bytes, start, end);
  if (action === AlarmAction.ACTIVATE) return { kind: "alarm", action: "activate", memberId, alarm };
  if (action === AlarmAction.DEACTIVATE) return { kind: "alarm", action: "deactivate", memberId, alarm };
  throw new MalformedMessageError("alarm neither raised nor cleared");
}
