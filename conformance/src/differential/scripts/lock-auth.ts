// LOCK-24 to LOCK-26, ELECT-10: locks and elections while authentication is on.

import { campaign, grantAll, leader, lock, queueOf, queueRefusals, settle, unlock, watchQueue } from "../queues.js";
import { type Script, script } from "../script.js";
import { addUser, auth, badToken, type Grant, logIn, quickPasswords, secure } from "../secured.js";
import type { Session } from "../session.js";

const args = quickPasswords;
/** All a lock `name` needs. */
const mayLock = (name: string): Grant => ["READWRITE", `${name}/`, `${name}0`];

/** The exchange that tells what a waiter left behind. */
const readLeft = { as: "left" } as const;

const rights: readonly Script[] = [
  script(
    "LOCK-24",
    "Lock needs READ on all keys of the name and WRITE on its own",
    async (s) => {
      const root = await secure(s, {
        all: [mayLock("l")],
        exact: [
          ["READ", "l/", "l0"],
          ["WRITE", "l/7"],
        ],
        reader: [["READ", "l/", "l0"]],
        writer: [["WRITE", "l/", "l0"]],
        narrow: [
          ["READ", "l/", "l/9"],
          ["WRITE", "l/", "l0"],
        ],
      });
      await grantAll(root, 7);
      for (const name of ["all", "exact", "root"]) {
        const client = await logIn(s, name);
        (await lock(client, "l", 7).answer).shows({ key: "l/7" });
        (await unlock(client, "l/7")).succeeds();
      }
      for (const name of ["reader", "writer", "narrow"]) {
        const client = await logIn(s, name);
        (await lock(client, "l", 7).answer).refused(...queueRefusals.denied);
      }
      (await unlock(await logIn(s, "reader"), "l/7")).refused(...queueRefusals.denied);
      (await queueOf(root, "l")).shows({ count: 0, header: { revision: 7 } });
    },
    { args },
  ),
  script(
    "LOCK-24",
    "a grant needs a user, but no rights; on etcd the refused call leaves its lease",
    async (s) => {
      const root = await secure(s, { nobody: [] });
      await grantAll(root, 7);
      (await lock(s, "l").answer).refused(...queueRefusals.userEmpty);
      (await lock(s, "l", 7).answer).refused(...queueRefusals.userEmpty);
      (await unlock(s, "l/7")).refused(...queueRefusals.userEmpty);
      const stranger = await s.connect({ metadata: { token: badToken } });
      (await lock(stranger, "l").answer).refused(...queueRefusals.badToken);
      (await lock(stranger, "l", 7).answer).refused(...queueRefusals.badToken);
      (await unlock(stranger, "l/7")).refused(...queueRefusals.badToken);
      (await lock(await logIn(s, "nobody"), "l").answer).refused(...queueRefusals.denied);
      const listed = await root.unary("etcdserverpb.Lease/LeaseLeases", {}, { unobserved: "their number is compared" });
      s.observe("leases", (listed.at("leases") as readonly unknown[]).length);
    },
    { args, divergences: [{ row: "LOCK-24", at: "leases.value", etcd: 2, holdfast: 1 }] },
  ),
  script(
    ["ELECT-4", "LOCK-24"],
    "elections need the same rights",
    async (s) => {
      const root = await secure(s, { all: [mayLock("e")], writer: [["WRITE", "e/", "e0"]], nobody: [] });
      await grantAll(root, 7);
      const all = await logIn(s, "all");
      (await campaign(all, { name: "e", lease: 7, value: "v" }).answer).shows({ leader: { key: "e/7" } });
      (await leader(all, "e")).shows({ kv: { value: "v" } });
      for (const name of ["writer", "nobody"]) {
        const client = await logIn(s, name);
        (await campaign(client, { name: "e", lease: 7, value: "v" }).answer).refused(...queueRefusals.denied);
        (await leader(client, "e")).refused(...queueRefusals.denied);
      }
      (await leader(s, "e")).refused(...queueRefusals.userEmpty);
    },
    { args },
  ),
];

/** Has root hold `l`, lets user `ann` wait for it, and cancels her call. Reads what is left of the queue. */
async function leaveWhileWaiting(s: Session, wait: "lock" | "campaign") {
  const root = await secure(s, { ann: [mayLock("l")] });
  await grantAll(root, 7, 8);
  await lock(root, "l", 7).answer;
  const watch = await watchQueue(root, "l");
  const ann = await logIn(s, "ann");
  const waiter = wait === "lock" ? lock(ann, "l", 8) : campaign(ann, { name: "l", lease: 8, value: "" });
  await watch.events(1);
  await settle(root);
  waiter.cancel();
  await waiter.answer;
  // On the same connection: whatever the server does about the call before this is done when this is.
  await settle(ann);
  return await queueOf(root, "l", readLeft);
}

const cleanUp: readonly Script[] = (["lock", "campaign"] as const).map((wait) =>
  script(
    wait === "lock" ? "LOCK-25" : ["ELECT-10", "LOCK-25"],
    `the key of a cancelled waiter (${wait})`,
    async (s) => {
      const left = await leaveWhileWaiting(s, wait);
      left.shows({ kvs: [{ key: "l/7" }, { key: "l/8" }], header: { revision: 3 } });
    },
    {
      args,
      divergences: [
        {
          row: "LOCK-25",
          at: "left.response",
          etcd: { count: 2, header: { revision: 3 } },
          holdfast: { kvs: [{ key: "l/7" }], count: 1, header: { revision: 4 } },
        },
      ],
    },
  ),
);

const identities: readonly Script[] = [
  script(
    "LOCK-26",
    "a waiter beside another one who may not see its name",
    async (s) => {
      const root = await secure(s, { ann: [mayLock("l")], bob: [mayLock("m")] });
      await grantAll(root, 7, 8, 9);
      await lock(root, "l", 7).answer;
      await lock(root, "m", 7).answer;
      const watch = await watchQueue(root, "l");
      lock(await logIn(s, "ann"), "l", 8, { unobserved: "waits for ever" });
      await watch.events(1);
      await settle(root);
      const beside = lock(await logIn(s, "bob"), "m", 9, { as: "beside" });
      await settle(root);
      await unlock(root, "m/7");
      (await beside.answer).refused("UNKNOWN", /PermissionDenied/);
      (await queueOf(root, "m")).shows({ kvs: [{ key: "m/9" }] });
    },
    {
      args,
      divergences: [
        {
          row: "LOCK-26",
          at: "beside",
          etcd: { status: "UNKNOWN", message: /permission denied/ },
          holdfast: { status: "OK", response: { key: "m/9" } },
        },
      ],
    },
  ),
  script(
    ["LOCK-26", "LOCK-25"],
    "a waiter who loses the right is not given the name",
    async (s) => {
      const root = await secure(s, { ann: [mayLock("l")] });
      await grantAll(root, 7, 8);
      await lock(root, "l", 7).answer;
      const watch = await watchQueue(root, "l");
      const waiter = lock(await logIn(s, "ann"), "l", 8);
      await watch.events(1);
      await settle(root);
      await auth(root, "RoleRevokePermission", { role: "ann", key: "l/", range_end: "l0" });
      await unlock(root, "l/7");
      (await waiter.answer).refused(...queueRefusals.denied);
      await settle(root);
      (await queueOf(root, "l", readLeft)).shows({ kvs: [{ key: "l/8" }], header: { revision: 4 } });
    },
    {
      args,
      divergences: [
        {
          row: "LOCK-25",
          at: "left.response",
          etcd: { count: 1, header: { revision: 4 } },
          holdfast: { kvs: [], count: 0, header: { revision: 5 } },
        },
      ],
    },
  ),
  script(
    "LOCK-26",
    "a waiter keeps its place when users and roles change",
    async (s) => {
      const root = await secure(s, { ann: [mayLock("l")] });
      await grantAll(root, 7, 8);
      await lock(root, "l", 7).answer;
      const watch = await watchQueue(root, "l");
      const waiter = lock(await logIn(s, "ann"), "l", 8);
      await watch.events(1);
      await settle(root);
      await addUser(root, "bob", mayLock("l"));
      await unlock(root, "l/7");
      (await waiter.answer).shows({ key: "l/8" });
    },
    { args },
  ),
];

/** The scripts of this section. */
export const scripts = [...rights, ...cleanUp, ...identities];
