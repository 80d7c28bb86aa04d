/** The roles by their names. */
import type { RoleName } from "../config.js";
import type { RoleFactory } from "../role.js";
import { AccountManager } from "./account-manager.js";
import { Administrator } from "./administrator.js";
import { Candidate } from "./candidate.js";
import { Contender } from "./contender.js";
import { LeaseUser } from "./lease-user.js";
import { LockHolder } from "./lock-holder.js";
import { Observer } from "./observer.js";
import { RegisterUser } from "./register-user.js";
import { RudeClient } from "./rude-client.js";
import { TransactionUser } from "./transaction-user.js";
import { Watcher } from "./watcher.js";

export const roleFactories: Readonly<Record<RoleName, RoleFactory>> = {
  register: (actor) => new RegisterUser(actor),
  transaction: (actor) => new TransactionUser(actor),
  watcher: (actor) => new Watcher(actor),
  lease: (actor) => new LeaseUser(actor),
  "careful-lock": (actor) => new LockHolder(actor, true),
  "careless-lock": (actor) => new LockHolder(actor, false),
  contender: (actor) => new Contender(actor),
  "careful-candidate": (actor) => new Candidate(actor, true),
  "careless-candidate": (actor) => new Candidate(actor, false),
  observer: (actor) => new Observer(actor),
  administrator: (actor) => new Administrator(actor),
  accounts: (actor) => new AccountManager(actor),
  rude: (actor) => new RudeClient(actor),
};
