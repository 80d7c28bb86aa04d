// AUTH-11 and AUTH-22 with JSON web tokens: those of another revision, and those of users who do not exist.

import { claiming, onCurve, secureWithAnn } from "../json-web-tokens.js";
import { script } from "../script.js";
import { auth, authRefusals, logIn } from "../secured.js";

const revisions = [
  script(
    "AUTH-11",
    "the revision of a token: old, present, to come, none",
    async (s) => {
      const revision = await secureWithAnn(s);
      const ann = (at: number) => claiming(s, { username: "ann", revision: at });
      const root = (at: number) => claiming(s, { username: "root", revision: at });
      (await (await ann(revision - 1)).range("a")).refused(...authRefusals.oldRevision);
      (await (await ann(revision - 1)).put("a", "v")).refused(...authRefusals.oldRevision);
      (await (await ann(revision - 1)).txn({ success: [{ request_put: { key: "a" } }] })).refused(
        ...authRefusals.oldRevision,
      );
      (await (await ann(revision - 0.5)).range("a")).refused(...authRefusals.oldRevision);
      (await (await ann(revision + 0.5)).range("a")).succeeds();
      (await (await ann(0)).range("a")).refused(...authRefusals.userEmpty);
      (await (await ann(0.5)).range("a")).refused(...authRefusals.userEmpty);
      (await (await root(1)).range("a")).refused(...authRefusals.oldRevision);
      for (const at of [0, 1, revision + 1]) {
        (await auth(await root(at), "UserList")).shows({ users: ["ann", "root"] });
        (await (await root(at)).compact(9)).refused("OUT_OF_RANGE", /future/);
        (await (await ann(at)).grant(60, 100 + at)).succeeds();
        (await auth(await ann(at), "UserGet", { name: "ann" })).shows({ roles: ["ann"] });
      }
      const stream = (await ann(revision - 1)).stream("etcdserverpb.Watch/Watch");
      stream.send({ create_request: { key: "a" } });
      (await stream.next()).shows({
        canceled: true,
        watch_id: -1,
        cancel_reason: "rpc error: code = InvalidArgument desc = etcdserver: revision of auth store is old",
      });
    },
    onCurve,
  ),
  script(
    "AUTH-11",
    "a token ahead of its time writes and watches, but does not read",
    async (s) => {
      const revision = await secureWithAnn(s);
      for (const at of [revision + 1, 1e15]) {
        const ann = await claiming(s, { username: "ann", revision: at });
        (await ann.put("a", "v")).succeeds();
        (await ann.range("a")).refused(...authRefusals.oldRevision);
        (await ann.range("a", { serializable: true })).refused(...authRefusals.oldRevision);
        (await ann.range("b")).refused(...authRefusals.denied);
        const read = { request_range: { key: "a" } };
        (await ann.txn({ success: [read] })).refused(...authRefusals.oldRevision);
        (await ann.txn({ success: [read, { request_put: { key: "a" } }] })).succeeds();
        const watch = await ann.watch({ key: "a" });
        (await ann.put("a", "w")).succeeds();
        (await watch.next()).shows({ events: [{ kv: { value: "w" } }] });
        (await ann.unary("etcdserverpb.Lease/LeaseLeases", {})).succeeds();
        (await ann.deleteRange("a")).shows({ deleted: 1 });
      }
    },
    onCurve,
  ),
  script(
    ["AUTH-11", "AUTH-25"],
    "a stream of pieces by a token ahead of its time",
    async (s) => {
      const revision = await secureWithAnn(s);
      const ann = await claiming(s, { username: "ann", revision: revision + 1 });
      const pieces = ann.stream("etcdserverpb.KV/RangeStream", { key: "a" }, { as: "pieces" });
      (await pieces.end()).refused(...authRefusals.oldRevision);
    },
    {
      ...onCurve,
      divergences: [
        {
          row: "AUTH-25",
          at: "pieces",
          etcd: { messages: [{ range_response: { count: 0 } }] },
          holdfast: { status: "INVALID_ARGUMENT", headers: "in the trailers" },
        },
      ],
    },
  ),
  script(
    "AUTH-11",
    "a change of roles makes every token old, until the next login",
    async (s) => {
      await secureWithAnn(s);
      const [ann, root] = [await logIn(s, "ann"), await logIn(s, "root")];
      (await ann.range("a")).succeeds();
      await auth(root, "RoleAdd", { name: "more" });
      (await ann.range("a")).refused(...authRefusals.oldRevision);
      (await root.range("a")).refused(...authRefusals.oldRevision);
      (await auth(root, "RoleList")).shows({ roles: ["ann", "more", "root"] });
      (await (await logIn(s, "ann")).range("a")).succeeds();
    },
    onCurve,
  ),
];

const strangers = [
  script(
    "AUTH-22",
    "a token of a user that does not exist",
    async (s) => {
      const revision = await secureWithAnn(s);
      const ghost = await claiming(s, { username: "ghost", revision });
      (await ghost.range("a")).refused(...authRefusals.denied);
      (await ghost.put("a", "v")).refused(...authRefusals.denied);
      (await auth(ghost, "UserList")).refused(...authRefusals.userNotFound);
      (await ghost.compact(1)).refused(...authRefusals.userNotFound);
      (await auth(ghost, "RoleGet", { role: "ann" })).refused(...authRefusals.userNotFound);
      (await auth(ghost, "UserGet", { name: "ann" })).refused(...authRefusals.userNotFound);
      (await auth(ghost, "UserGet", { name: "ghost" })).refused(...authRefusals.userNotFound);
    },
    onCurve,
  ),
  script(
    "AUTH-22",
    "what any user may do, a user that does not exist may do on etcd",
    async (s) => {
      const revision = await secureWithAnn(s);
      const ghost = await claiming(s, { username: "ghost", revision });
      (await ghost.grant(60, 7, { as: "grant" })).succeeds();
      (await ghost.unary("etcdserverpb.Lease/LeaseTimeToLive", { ID: 9 }, { as: "time to live" })).succeeds();
      (await ghost.unary("etcdserverpb.Cluster/MemberList", {}, { as: "members" })).succeeds();
    },
    {
      ...onCurve,
      divergences: ["grant", "time to live", "members"].map((at) => ({
        row: "AUTH-22",
        at,
        etcd: { status: "OK" },
        holdfast: { status: "PERMISSION_DENIED", message: authRefusals.denied[1] },
      })),
    },
  ),
  script(
    ["AUTH-22", "AUTH-12"],
    "a token without a name",
    async (s) => {
      const revision = await secureWithAnn(s);
      const unnamed = await claiming(s, { username: "", revision });
      (await unnamed.range("a", {}, { as: "reads" })).refused(...authRefusals.denied);
      (await auth(unnamed, "UserList", {}, { as: "lists" })).refused(...authRefusals.userEmpty);
    },
    onCurve,
  ),
];

/** The scripts of this section. */
export const scripts = [...revisions, ...strangers];
