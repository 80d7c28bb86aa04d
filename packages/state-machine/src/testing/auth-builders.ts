/**
 * Short ways to set up users, roles and alarms.
 */
import assert from "node:assert/strict";
import { type ByteString, PermissionType } from "@holdfast/protocol";
import type { AuthCommand, Caller } from "../auth/auth-types.js";
import { StateMachine } from "../state-machine.js";
import type { Command, Outcome } from "../types.js";
import { Driver, key } from "./builders.js";

const types = {
  read: PermissionType.READ,
  write: PermissionType.WRITE,
  readwrite: PermissionType.READWRITE,
} as const;

/** A machine whose users and roles are set up by root, and that is asked by anybody. */
export class AuthDriver extends Driver {
  /** Carries out a command for the root user; it has to be accepted. */
  admin(command: Command): void {
    const outcome = this.machine.apply(command, this.caller("root"));
    assert.deepEqual(outcome.kind === "refused" ? outcome : command.kind, command.kind);
  }

  user(name: string, ...roles: readonly string[]): void {
    this.admin({ kind: "userAdd", name, passwordHash: `hash of ${name}`, noPassword: false });
    for (const roleName of roles) this.admin({ kind: "userGrantRole", userName: name, roleName });
  }

  /** Adds a role, with one permission if `type` is given. */
  role(name: string, type?: keyof typeof types, from = "", rangeEnd = ""): void {
    this.admin({ kind: "roleAdd", name });
    if (type !== undefined) this.permit(name, type, from, rangeEnd);
  }

  permit(roleName: string, type: keyof typeof types, from: string, rangeEnd = ""): void {
    this.admin(grantOf(roleName, types[type], key(from), key(rangeEnd)));
  }

  /** Adds the root user and turns authentication on. */
  enable(): void {
    this.user("root", "root");
    this.admin({ kind: "authEnable" });
  }

  /** Whoever holds a fresh token of `userName`. */
  caller(userName: string): Caller {
    return { userName, authRevision: this.machine.auth.revision };
  }

  /** Applies a command for a user, or for nobody; answers "ok" or why it was refused. */
  try(command: Command, userName?: string): string {
    return verdictOf(this.machine.apply(command, userName === undefined ? undefined : this.caller(userName)));
  }
}

/** "ok", or why not. */
export function verdictOf(outcome: Outcome): string {
  return outcome.kind === "refused" ? outcome.refusal : "ok";
}

export function grantOf(roleName: string, permType: number, from: ByteString, rangeEnd: ByteString): AuthCommand {
  return { kind: "roleGrantPermission", roleName, permission: { permType, key: from, rangeEnd } };
}

/**
 * Authentication on; users `reader` and `writer` with the keys from a to below c, `both` with both, `roleless` with
 * none; key "a" on lease 1, key "x" on lease 2, lease 3 without keys, "b" without lease.
 */
export function secured(): AuthDriver {
  const driver = new AuthDriver(new StateMachine());
  for (const leaseId of [1n, 2n, 3n]) driver.grant(leaseId);
  driver.put("a", "1", { lease: 1n });
  driver.put("b", "1");
  driver.put("x", "1", { lease: 2n });
  driver.role("reads", "read", "a", "c");
  driver.role("writes", "write", "a", "c");
  driver.user("reader", "reads");
  driver.user("writer", "writes");
  driver.user("both", "reads", "writes");
  driver.user("roleless");
  driver.enable();
  return driver;
}
