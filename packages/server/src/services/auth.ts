/**
 * The Auth service: users, roles, permissions, and whether they are looked at.
 *
 * What a change is refused for is decided when it is applied; that its caller holds role `root` was checked before the
 * request came here, and is again then. Calls that bring a password are in `auth-passwords.ts`.
 */
import {
  authService,
  encodeSharedAuthDisableResponse,
  encodeSharedAuthEnableResponse,
  encodeSharedAuthRoleAddResponse,
  encodeSharedAuthRoleDeleteResponse,
  encodeSharedAuthRoleGetResponse,
  encodeSharedAuthRoleGrantPermissionResponse,
  encodeSharedAuthRoleListResponse,
  encodeSharedAuthRoleRevokePermissionResponse,
  encodeSharedAuthStatusResponse,
  encodeSharedAuthUserDeleteResponse,
  encodeSharedAuthUserGetResponse,
  encodeSharedAuthUserGrantRoleResponse,
  encodeSharedAuthUserListResponse,
  encodeSharedAuthUserRevokeRoleResponse,
} from "@holdfast/protocol";
import type { AuthCommand } from "@holdfast/state-machine";
import type { Method, ServerCall } from "@holdfast/transport";
import { type EncodeHeader, proposeAuthChange } from "./auth-change.js";
import { PasswordCalls } from "./auth-passwords.js";
import type { ServiceContext } from "./context.js";
import { refuse, unary } from "./method.js";

const methods = authService.methods;

export function authMethods(context: ServiceContext): Method[] {
  return [...stateMethods(context), ...userMethods(context), ...roleMethods(context)];
}

function stateMethods(context: ServiceContext): Method[] {
  const auth = new AuthService(context);
  const passwords = new PasswordCalls(context);
  return [
    unary(context, methods.authEnable, (_request, call) =>
      auth.change(call, { kind: "authEnable" }, encodeSharedAuthEnableResponse),
    ),
    unary(context, methods.authDisable, (_request, call) =>
      auth.change(call, { kind: "authDisable" }, (response) => {
        context.access.tokens.voidAll();
        return encodeSharedAuthDisableResponse(response);
      }),
    ),
    unary(context, methods.authStatus, (_request, call) => auth.status(call)),
    unary(context, methods.authenticate, (request, call) => passwords.authenticate(request, call)),
  ];
}

function userMethods(context: ServiceContext): Method[] {
  const auth = new AuthService(context);
  const passwords = new PasswordCalls(context);
  return [
    unary(context, methods.userAdd, (request, call) => passwords.addUser(request, call)),
    unary(context, methods.userGet, ({ name }, call) => auth.user(name, call)),
    unary(context, methods.userList, (_request, call) => auth.users(call)),
    unary(context, methods.userDelete, ({ name }, call) =>
      auth.change(call, { kind: "userDelete", name }, encodeSharedAuthUserDeleteResponse),
    ),
    unary(context, methods.userChangePassword, (request, call) => passwords.changePassword(request, call)),
    unary(context, methods.userGrantRole, ({ user, role }, call) =>
      auth.change(
        call,
        { kind: "userGrantRole", userName: user, roleName: role },
        encodeSharedAuthUserGrantRoleResponse,
      ),
    ),
    unary(context, methods.userRevokeRole, ({ name, role }, call) =>
      auth.change(
        call,
        { kind: "userRevokeRole", userName: name, roleName: role },
        encodeSharedAuthUserRevokeRoleResponse,
      ),
    ),
  ];
}

function roleMethods(context: ServiceContext): Method[] {
  const auth = new AuthService(context);
  return [
    unary(context, methods.roleAdd, ({ name }, call) =>
      auth.change(call, { kind: "roleAdd", name }, encodeSharedAuthRoleAddResponse),
    ),
    unary(context, methods.roleGet, ({ role }, call) => auth.role(role, call)),
    unary(context, methods.roleList, (_request, call) => auth.roles(call)),
    unary(context, methods.roleDelete, ({ role }, call) =>
      auth.change(call, { kind: "roleDelete", name: role }, encodeSharedAuthRoleDeleteResponse),
    ),
    unary(context, methods.roleGrantPermission, ({ name, perm }, call) =>
      auth.change(
        call,
        { kind: "roleGrantPermission", roleName: name, permission: perm },
        encodeSharedAuthRoleGrantPermissionResponse,
      ),
    ),
    unary(context, methods.roleRevokePermission, ({ role, key, rangeEnd }, call) =>
      auth.change(
        call,
        { kind: "roleRevokePermission", roleName: role, key, rangeEnd },
        encodeSharedAuthRoleRevokePermissionResponse,
      ),
    ),
  ];
}

class AuthService {
  readonly #context: ServiceContext;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /** Proposes a change and answers with a header. */
  change(call: ServerCall, command: AuthCommand, encode: EncodeHeader): void {
    proposeAuthChange(this.#context, call, command, this.#context.access.identify(call), encode);
  }

  status(call: ServerCall): void {
    const { enabled, revision } = this.#context.replica.machine.auth;
    const header = this.#context.headerNow();
    call.reply(encodeSharedAuthStatusResponse({ header, enabled, authRevision: revision }));
  }

  user(name: string, call: ServerCall): void {
    const { replica, access } = this.#context;
    replica.whenCurrent(() => {
      if (access.enabled && access.refuses({ kind: "userGet", name }, call)) return;
      const user = replica.machine.auth.user(name);
      if (user === undefined) refuse(call, "user-not-found");
      else call.reply(encodeSharedAuthUserGetResponse({ header: this.#context.headerNow(), roles: user.roles }));
    });
  }

  users(call: ServerCall): void {
    const { replica } = this.#context;
    replica.whenCurrent(() => {
      const users = Array.from(replica.machine.auth.users(), ({ name }) => name);
      call.reply(encodeSharedAuthUserListResponse({ header: this.#context.headerNow(), users }));
    });
  }

  role(name: string, call: ServerCall): void {
    const { replica, access } = this.#context;
    replica.whenCurrent(() => {
      if (access.enabled && access.refuses({ kind: "roleGet", name }, call)) return;
      const role = replica.machine.auth.role(name);
      if (role === undefined) refuse(call, "role-not-found");
      else call.reply(encodeSharedAuthRoleGetResponse({ header: this.#context.headerNow(), perm: role.permissions }));
    });
  }

  roles(call: ServerCall): void {
    const { replica } = this.#context;
    replica.whenCurrent(() => {
      const roles = Array.from(replica.machine.auth.roles(), ({ name }) => name);
      call.reply(encodeSharedAuthRoleListResponse({ header: this.#context.headerNow(), roles }));
    });
  }
}
