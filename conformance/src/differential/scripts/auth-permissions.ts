// AUTH-16 to AUTH-19 and AUTH-21: what roles grant, and what that lets their holders do with keys.

import type { Client } from "../client.js";
import { putKeys, refusals } from "../phrases.js";
import { script } from "../script.js";
import { allow, auth, authRefusals, type Grant, logIn, quickPasswords, secure } from "../secured.js";

const options = { args: quickPasswords };

/** Reads intervals and single keys, and demands of each whether it is allowed. */
async function reads(client: Client, cases: Readonly<Record<string, boolean>>): Promise<void> {
  for (const [interval, allowed] of Object.entries(cases)) {
    const [key = "", end = ""] = interval.split(" to ");
    const answer = await client.range(key, end === "" ? {} : { range_end: end === "the end" ? "\0" : end });
    if (allowed) {
      answer.succeeds();
    } else {
      answer.refused(...authRefusals.denied);
    }
  }
}

const unions = [
  script(
    ["AUTH-16", "AUTH-21"],
    "READ, WRITE and READWRITE",
    async (s) => {
      await secure(s, {
        ann: [
          ["READ", "r"],
          ["WRITE", "w"],
          ["READWRITE", "rw"],
        ],
      });
      const ann = await logIn(s, "ann");
      await reads(ann, { r: true, w: false, rw: true, other: false });
      for (const [key, allowed] of [
        ["r", false],
        ["w", true],
        ["rw", true],
        ["other", false],
      ] as const) {
        for (const answer of [await ann.put(key, "v"), await ann.deleteRange(key)]) {
          if (allowed) {
            answer.succeeds();
          } else {
            answer.refused(...authRefusals.denied);
          }
        }
      }
    },
    options,
  ),
  script(
    "AUTH-16",
    "single keys, intervals, and all keys from one on",
    async (s) => {
      await secure(s, { ann: [["READ", "b", "d"]], bob: [["READ", "m", "\0"]], cid: [["READ", "k"]] });
      await reads(await logIn(s, "ann"), {
        a: false,
        b: true,
        c: true,
        "c\xff": true,
        d: false,
        "b to d": true,
        "b to c": true,
        "a to d": false,
        "b to d\0": false,
        "b to the end": false,
      });
      await reads(await logIn(s, "bob"), {
        l: false,
        m: true,
        "\xff\xff": true,
        "m to n": true,
        "m to the end": true,
        "n to the end": true,
        "l to the end": false,
      });
      await reads(await logIn(s, "cid"), {
        k: true,
        "k\0": false,
        "k to l": false,
        "k to k\0": true,
        "k to the end": false,
      });
    },
    options,
  ),
  script(
    "AUTH-16",
    "permissions of several roles join up where they touch or overlap",
    async (s) => {
      const root = await secure(s, {
        ann: [
          ["READ", "a", "c"],
          ["READ", "c", "e"],
          ["READ", "f", "h"],
          ["READ", "p"],
        ],
      });
      await auth(root, "RoleAdd", { name: "more" });
      await allow(root, "more", ["READWRITE", "g", "k"]);
      await allow(root, "more", ["READ", "p\0", "q"]);
      await allow(root, "more", ["WRITE", "e", "f"]);
      await auth(root, "UserGrantRole", { user: "ann", role: "more" });
      await reads(await logIn(s, "ann"), {
        "a to e": true,
        "a to f": false,
        "b to d": true,
        "d to g": false,
        "f to k": true,
        "p to q": true,
        "p to q\0": false,
        e: false,
      });
    },
    options,
  ),
  script(
    "AUTH-16",
    "an interval without keys is allowed where its first key is",
    async (s) => {
      await secure(s, {
        ann: [
          ["READWRITE", "b", "d"],
          ["READWRITE", "k"],
        ],
        bob: [["READ", "\0", "\0"]],
      });
      const ann = await logIn(s, "ann");
      await reads(ann, { "c to c": true, "c to b": true, "c to a": true, "d to d": false, "d to b": false });
      await reads(ann, { "k to k": true, "k to j": true, "k\0 to k": false, "a to a": false, "e to a": false });
      (await ann.deleteRange("c", { range_end: "a" })).shows({ deleted: 0 });
      (await ann.deleteRange("d", { range_end: "a" })).refused(...authRefusals.denied);
      await reads(await logIn(s, "bob"), { "c to c": true, "c to b": true, "\0 to the end": true });
    },
    options,
  ),
  script(
    "AUTH-16",
    "a backwards interval before the permissions that join up with that of its first key",
    async (s) => {
      await secure(s, {
        ann: [
          ["READWRITE", "b", "d"],
          ["READWRITE", "d", "f"],
        ],
      });
      const ann = await logIn(s, "ann");
      (await ann.deleteRange("d", { range_end: "c" })).shows({ deleted: 0 });
      (await ann.deleteRange("d", { range_end: "b" }, { as: "backwards" })).refused(...authRefusals.denied);
    },
    {
      ...options,
      divergences: [
        {
          row: "AUTH-16",
          at: "backwards",
          etcd: { status: "PERMISSION_DENIED", message: authRefusals.denied[1] },
          holdfast: { status: "OK", response: { deleted: 0 } },
        },
      ],
    },
  ),
  script(
    "AUTH-19",
    "role root allows everything, whoever holds it",
    async (s) => {
      const root = await secure(s, { ann: [] });
      const ann = await logIn(s, "ann");
      (await ann.put("a", "v")).refused(...authRefusals.denied);
      await auth(root, "UserGrantRole", { user: "ann", role: "root" });
      (await ann.put("a", "v")).succeeds();
      (await ann.range("\0", { range_end: "\0" })).shows({ count: 1 });
      (await ann.compact(2)).succeeds();
      (await auth(ann, "UserList")).shows({ users: ["ann", "root"] });
      (await auth(ann, "UserAdd", { name: "bob", password: "bob" })).succeeds();
      await auth(root, "UserRevokeRole", { name: "ann", role: "root" });
      (await ann.range("a")).refused(...authRefusals.denied);
      (await auth(ann, "UserList")).refused(...authRefusals.denied);
    },
    options,
  ),
  script(
    "AUTH-21",
    "rights count at the moment of the call; a lease that ends asks for none",
    async (s) => {
      const root = await secure(s, { ann: [["READWRITE", "a", "c"]] });
      const ann = await logIn(s, "ann");
      await ann.grant(2, 7);
      (await ann.put("b", "v", { lease: 7 })).succeeds();
      const watch = await root.watch({ key: "b" });
      await auth(root, "RoleRevokePermission", { role: "ann", key: "a", range_end: "c" });
      (await ann.put("b", "w")).refused(...authRefusals.denied);
      (await watch.next()).shows({ events: [{ type: "DELETE", kv: { key: "b" } }] });
      await allow(root, "ann", ["READ", "b"]);
      (await ann.range("b")).shows({ count: 0 });
      (await ann.put("b", "w")).refused(...authRefusals.denied);
    },
    options,
  ),
];

const permission = ([permType, key, range_end = ""]: Grant) => ({ permType, key, range_end });

const grants = [
  script("AUTH-17", "granting again replaces the type; permissions are listed by key", async (s) => {
    await auth(s, "RoleAdd", { name: "r" });
    const given: readonly Grant[] = [
      ["READ", "m", "n"],
      ["WRITE", "z"],
      ["READ", "a", "\0"],
      ["READWRITE", "b"],
      ["READ", "\xff"],
      ["READ", "m", "n"],
      ["WRITE", "m", "n"],
    ];
    for (const grant of given) {
      (await allow(s, "r", grant)).succeeds();
    }
    const listed: readonly Grant[] = [
      ["READ", "a", "\0"],
      ["READWRITE", "b"],
      ["WRITE", "m", "n"],
      ["WRITE", "z"],
      ["READ", "\xff"],
    ];
    (await auth(s, "RoleGet", { role: "r" })).shows({ perm: listed.map(permission) });
  }),
  script("AUTH-17", "a type without a name", async (s) => {
    await auth(s, "RoleAdd", { name: "r" });
    await auth(s, "RoleGrantPermission", { name: "r", perm: { permType: 9, key: "a" } });
    (await auth(s, "RoleGet", { role: "r" })).shows({ perm: [{ permType: 9, key: "a" }] });
  }),
  script("AUTH-17", "what cannot be granted", async (s) => {
    const missing = ["INVALID_ARGUMENT", "etcdserver: permission not given"] as const;
    (await auth(s, "RoleGrantPermission", { name: "r" })).refused(...missing);
    (await auth(s, "RoleGrantPermission", {})).refused(...missing);
    for (const role of ["none", "r"]) {
      (await allow(s, role, ["READ", ""])).refused(...authRefusals.rootStays);
      (await allow(s, role, ["READ", "", "\0"])).refused(...authRefusals.rootStays);
      (await allow(s, role, ["READ", "", "b"])).refused(...authRefusals.rootStays);
      (await allow(s, role, ["READ", "b", "a"])).refused(...authRefusals.rootStays);
      (await allow(s, role, ["READ", "b", "b"])).refused(...authRefusals.rootStays);
      await auth(s, "RoleAdd", { name: "r" });
    }
    (await allow(s, "none", ["READ", "a"])).refused(...authRefusals.roleNotFound);
    (await allow(s, "r", ["READ", "\0", "\0"])).succeeds();
    (await allow(s, "r", ["READ", "b", "b\0"])).succeeds();
    (await auth(s, "RoleGet", { role: "r" })).shows({ perm: [{ key: "\0", range_end: "\0" }, { key: "b" }] });
  }),
  script("AUTH-18", "revoking takes the exact interval", async (s) => {
    await auth(s, "RoleAdd", { name: "r" });
    await allow(s, "r", ["READ", "a", "c"]);
    await allow(s, "r", ["READ", "d"]);
    const revoke = (key: string, range_end = "", role = "r") =>
      auth(s, "RoleRevokePermission", { role, key, range_end });
    const notGranted = ["FAILED_PRECONDITION", "etcdserver: permission is not granted to the role"] as const;
    (await revoke("a")).refused(...notGranted);
    (await revoke("a", "b")).refused(...notGranted);
    (await revoke("b", "c")).refused(...notGranted);
    (await revoke("d", "e")).refused(...notGranted);
    (await revoke("")).refused(...notGranted);
    (await revoke("a", "c", "none")).refused(...authRefusals.roleNotFound);
    (await revoke("a", "c", "")).refused(...authRefusals.roleNotFound);
    (await revoke("a", "c")).succeeds();
    (await revoke("a", "c")).refused(...notGranted);
    (await auth(s, "RoleGet", { role: "r" })).shows({ perm: [{ key: "d" }] });
  }),
];

const values = [
  script(
    "AUTH-20",
    "the previous value takes READ besides WRITE",
    async (s) => {
      await secure(s, { ann: [["WRITE", "a", "c"]], bob: [["READWRITE", "a", "c"]] });
      const [ann, bob] = [await logIn(s, "ann"), await logIn(s, "bob")];
      await putKeys(bob, "a", "b");
      (await ann.put("a", "v", { prev_kv: true })).refused(...authRefusals.denied);
      (await ann.deleteRange("a", { prev_kv: true })).refused(...authRefusals.denied);
      (await ann.deleteRange("a", { range_end: "c", prev_kv: true })).refused(...authRefusals.denied);
      (await ann.put("a", "", { ignore_value: true })).succeeds();
      (await bob.put("a", "v", { prev_kv: true })).shows({ prev_kv: { value: "value of a" } });
      (await bob.deleteRange("a", { range_end: "c", prev_kv: true })).shows({ deleted: 2 });
      (await ann.put("a", "", { ignore_value: true })).refused(...refusals.keyNotFound);
      (await ann.deleteRange("a", { range_end: "d" })).refused(...authRefusals.denied);
    },
    options,
  ),
];

/** The scripts of this section. */
export const scripts = [...unions, ...grants, ...values];
