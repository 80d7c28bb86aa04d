/**
 * Makes and removes users, roles and permissions, without which snapshots and replays would never hold any (I10). It does not
 * turn authentication on: what that forbids is for the tests of permissions.
 */
import { authService, PermissionType, permissionCodec, userAddOptionsCodec } from "@holdfast/protocol";
import type { Actor } from "../actor.js";
import type { Role } from "../role.js";

const { methods } = authService;
const USERS = ["ann", "__proto__", "björn"];
const ROLES = ["reader", "constructor"];

export class AccountManager implements Role {
  readonly #actor: Actor;

  constructor(actor: Actor) {
    this.#actor = actor;
  }

  async step(): Promise<void> {
    const { random } = this.#actor;
    const name = random.pick(USERS);
    const role = random.pick(ROLES);
    const choice = random.below(9);
    if (choice === 0) await this.#addUser(name);
    else if (choice === 1) await this.#actor.callUnrecorded(methods.userDelete, { name });
    else if (choice === 2) await this.#actor.callUnrecorded(methods.roleAdd, { name: role });
    else if (choice === 3) await this.#actor.callUnrecorded(methods.roleDelete, { role });
    else if (choice === 4) await this.#actor.callUnrecorded(methods.userGrantRole, { user: name, role });
    else if (choice === 5) await this.#actor.callUnrecorded(methods.userRevokeRole, { name, role });
    else if (choice === 6) await this.#grantPermission(role);
    else if (choice === 7) await this.#revokePermission(role);
    else await this.#actor.callUnrecorded(methods.userChangePassword, { name, password: `secret of ${name}` });
  }

  async settle(): Promise<void> {
    const name = "last";
    await this.#actor.until(async () => {
      const added = await this.#addUser(name);
      const deleted = await this.#actor.callUnrecorded(methods.userDelete, { name });
      return added && deleted.fate === "done";
    });
  }

  /** Returns whether the user is there now. */
  async #addUser(name: string): Promise<boolean> {
    const options = userAddOptionsCodec.create({ noPassword: true });
    const fate = await this.#actor.callUnrecorded(methods.userAdd, { name, options });
    return fate.fate !== "unknown";
  }

  async #grantPermission(name: string): Promise<void> {
    const { random, scene } = this.#actor;
    const perm = permissionCodec.create({ ...scene.supplies.interval(random), permType: PermissionType.READWRITE });
    await this.#actor.callUnrecorded(methods.roleGrantPermission, { name, perm });
  }

  async #revokePermission(role: string): Promise<void> {
    const { random, scene } = this.#actor;
    await this.#actor.callUnrecorded(methods.roleRevokePermission, { role, ...scene.supplies.interval(random) });
  }
}
