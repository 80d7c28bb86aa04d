// WATCH-10 to WATCH-12 and LEASE-24: watches, renewals and other streams while authentication is on. ELECT-30's silence.

import type { Client } from "../client.js";
import { putKeys, refusals } from "../phrases.js";
import { script } from "../script.js";
import { auth, authRefusals, badToken, logIn, quickPasswords, secure } from "../secured.js";
import type { MessageStream } from "../stream.js";

const options = { args: quickPasswords };

const reasons = {
  denied: "rpc error: code = PermissionDenied desc = etcdserver: permission denied",
  badToken: "rpc error: code = Unauthenticated desc = etcdserver: invalid auth token",
  userEmpty: "rpc error: code = InvalidArgument desc = etcdserver: user name is empty",
};
const refused = (cancel_reason: string) => ({ created: true, canceled: true, watch_id: -1, cancel_reason });

function openWatch(client: Client, key: string, more = {}): MessageStream {
  const stream = client.stream("etcdserverpb.Watch/Watch");
  stream.send({ create_request: { key, ...more } });
  return stream;
}

/** What a watch is sent next, when its right was taken away and its key put. */
const withdrawnAt = "11 etcdserverpb.Watch/Watch.messages.1";

const watches = [
  script(
    "WATCH-10",
    "a refused create says why, and the stream goes on",
    async (s) => {
      const root = await secure(s, { ann: [["READ", "a"]] });
      const ann = await logIn(s, "ann");
      const stream = openWatch(ann, "b");
      (await stream.next()).shows(refused(reasons.denied));
      stream.send({ create_request: { key: "a", range_end: "c" } });
      (await stream.next()).shows(refused(reasons.denied));
      stream.send({ create_request: { key: "b", watch_id: 7 } });
      (await stream.next()).shows(refused(reasons.denied));
      stream.send({ create_request: { key: "a", watch_id: 7 } });
      (await stream.next()).shows({ created: true, canceled: false, watch_id: 7 });
      await putKeys(root, "b", "a");
      (await stream.next()).shows({ watch_id: 7, events: [{ kv: { key: "a" } }] });
    },
    options,
  ),
  script(
    "WATCH-10",
    "nobody, and a bad token",
    async (s) => {
      await secure(s);
      const nobody = openWatch(s, "a");
      (await nobody.next()).shows(refused(reasons.userEmpty));
      nobody.send({ create_request: { key: "b" } });
      (await nobody.next()).shows(refused(reasons.userEmpty));
      const bad = openWatch(await s.connect({ metadata: { token: badToken } }), "a");
      (await bad.next()).shows(refused(reasons.badToken));
      bad.send({ create_request: { key: "b" } });
      (await bad.next()).shows(refused(reasons.badToken));
      bad.cancel();
    },
    options,
  ),
  script(
    "WATCH-11",
    "a watch whose right is taken away",
    async (s) => {
      const root = await secure(s, { ann: [["READ", "a"]] });
      const ann = await logIn(s, "ann");
      const stream = openWatch(ann, "a");
      (await stream.next()).shows({ created: true, watch_id: 0 });
      await auth(root, "RoleRevokePermission", { role: "ann", key: "a" });
      await putKeys(root, "a");
      await stream.next();
      stream.send({ create_request: { key: "a" } });
      (await stream.next()).shows(refused(reasons.denied));
    },
    {
      ...options,
      divergences: [
        { row: "WATCH-11", at: `${withdrawnAt}.canceled`, etcd: false, holdfast: true },
        { row: "WATCH-11", at: `${withdrawnAt}.cancel_reason`, etcd: "", holdfast: reasons.denied },
        { row: "WATCH-11", at: `${withdrawnAt}.events`, etcd: [{ kv: { key: "a" } }], holdfast: [] },
      ],
    },
  ),
  script(
    ["WATCH-11", "AUTH-3"],
    "watchers of a time without authentication go on",
    async (s) => {
      const stream = await s.watch({ key: "a" });
      const root = await secure(s);
      await putKeys(root, "a");
      (await stream.next()).shows({ events: [{ kv: { key: "a" } }] });
      stream.send({ create_request: { key: "a" } });
      (await stream.next()).shows(refused(reasons.userEmpty));
    },
    options,
  ),
  script(
    "WATCH-12",
    "all keys from one on take the right to all of them",
    async (s) => {
      await secure(s, {
        ann: [["READ", "m"]],
        bob: [["READ", "m", "\0"]],
        cid: [["READ", "m", "n"]],
        dan: [["READ", "\0", "\0"]],
      });
      const open = { range_end: "\0" };
      (await openWatch(await logIn(s, "ann"), "m", open).next()).shows(refused(reasons.denied));
      (await openWatch(await logIn(s, "cid"), "m", open).next()).shows(refused(reasons.denied));
      const bob = openWatch(await logIn(s, "bob"), "m", open);
      (await bob.next()).shows({ canceled: false });
      bob.send({ create_request: { key: "l", ...open } });
      (await bob.next()).shows(refused(reasons.denied));
      bob.send({ create_request: { key: "", ...open } });
      (await bob.next()).shows(refused(reasons.denied));
      const dan = openWatch(await logIn(s, "dan"), "", open);
      (await dan.next()).shows({ canceled: false });
      dan.send({ create_request: { key: "" } });
      (await dan.next()).shows({ canceled: false });
      dan.send({ create_request: {} });
      (await dan.next()).shows({ canceled: false });
    },
    options,
  ),
  script(
    ["ORD-4", "WATCH-10"],
    "a watch: its start revision, then the right, then the interval, then the id",
    async (s) => {
      await secure(s, { ann: [["READ", "a", "c"]] });
      const stream = openWatch(await logIn(s, "ann"), "x", { start_revision: -1 });
      (await stream.next()).shows(refused("etcdserver: mvcc: required revision has been compacted"));
      stream.send({ create_request: { key: "x", range_end: "a" } });
      (await stream.next()).shows(refused(reasons.denied));
      stream.send({ create_request: { key: "a", watch_id: 5 } });
      (await stream.next()).shows({ created: true, canceled: false });
      stream.send({ create_request: { key: "x", watch_id: 5 } });
      (await stream.next()).shows(refused(reasons.denied));
      stream.send({ create_request: { key: "b", range_end: "a", watch_id: 5 } });
      (await stream.next()).shows({ created: true, canceled: true, watch_id: -1 });
      stream.send({ create_request: { key: "a", watch_id: 5 } });
      (await stream.next()).shows({ created: true, canceled: true, watch_id: -1 });
    },
    options,
  ),
];

/** Leases of two kinds: 1 with a key of ann's, 2 with one of root's, 3 without keys. */
async function threeLeases(root: Client, ann: Client): Promise<void> {
  for (const id of [1, 2, 3]) {
    (await root.grant(600, id)).succeeds();
  }
  await ann.put("a", "v", { lease: 1 });
  await root.put("z", "v", { lease: 2 });
}

const keepAlive = "etcdserverpb.Lease/LeaseKeepAlive";

const renewals = [
  script(
    ["LEASE-24", "AUTH-20"],
    "a renewal that is refused ends the stream; those before it were answered",
    async (s) => {
      const root = await secure(s, { ann: [["READWRITE", "a"]] });
      const ann = await logIn(s, "ann");
      await threeLeases(root, ann);
      const stream = ann.stream(keepAlive);
      stream.send({ ID: 1 });
      (await stream.next()).shows({ ID: 1, TTL: 600 });
      stream.send({ ID: 3 });
      (await stream.next()).shows({ ID: 3, TTL: 600 });
      stream.send({ ID: 9 });
      (await stream.next()).shows({ ID: 9, TTL: 0 });
      stream.send({ ID: 2 });
      (await stream.end()).refused(...authRefusals.denied);
      const asRoot = root.stream(keepAlive);
      asRoot.send({ ID: 2 });
      (await asRoot.next()).shows({ ID: 2, TTL: 600 });
      asRoot.halfClose();
      (await asRoot.end()).succeeds();
    },
    options,
  ),
  script(
    ["LEASE-24", "AUTH-12"],
    "a renewal by nobody, with a bad token, and with one that went bad",
    async (s) => {
      const root = await secure(s, { ann: [["READWRITE", "a"]] });
      const ann = await logIn(s, "ann");
      await threeLeases(root, ann);
      for (const ID of [1, 3, 9]) {
        const nobody = s.stream(keepAlive);
        nobody.send({ ID });
        (await nobody.end()).refused(...authRefusals.userEmpty);
        const bad = s.stream(keepAlive, undefined, { metadata: { token: badToken } });
        bad.send({ ID });
        (await bad.end()).refused(...authRefusals.badToken);
      }
      const stream = ann.stream(keepAlive);
      stream.send({ ID: 1 });
      (await stream.next()).shows({ TTL: 600 });
      await auth(root, "UserChangePassword", { name: "ann", password: "ann" });
      stream.send({ ID: 1 });
      (await stream.end()).refused(...authRefusals.badToken);
      const again = (await logIn(s, "ann")).stream(keepAlive);
      again.send({ ID: 1 });
      (await again.next()).shows({ TTL: 600 });
      await auth(root, "UserRevokeRole", { name: "ann", role: "ann" });
      again.send({ ID: 1 });
      (await again.end()).refused(...authRefusals.denied);
    },
    options,
  ),
  script(
    "AUTH-20",
    "a stream of pieces is refused as a range is",
    async (s) => {
      await secure(s, { ann: [["READ", "a", "c"]] });
      const ann = await logIn(s, "ann");
      const all = { key: "a", range_end: "c" };
      (await ann.stream("etcdserverpb.KV/RangeStream", all).end()).succeeds();
      const wider = ann.stream("etcdserverpb.KV/RangeStream", { key: "a", range_end: "d" });
      (await wider.end()).refused(...authRefusals.denied);
      (await s.stream("etcdserverpb.KV/RangeStream", all).end()).refused(...authRefusals.userEmpty);
      const metadata = { token: badToken };
      const bad = s.stream("etcdserverpb.KV/RangeStream", all, { metadata });
      (await bad.end()).refused(...authRefusals.badToken);
      (await s.stream("etcdserverpb.KV/RangeStream", {}, { metadata }).end()).refused(...refusals.keyMissing);
    },
    options,
  ),
];

const observe = "v3electionpb.Election/Observe";

const silences = [
  script(
    ["ELECT-30", "AUTH-20"],
    "Observe without the right, by nobody and with a bad token ends with nothing said",
    async (s) => {
      const root = await secure(s, { ann: [["READ", "e/", "e0"]], bob: [] });
      await root.grant(600, 7);
      await root.unary("v3electionpb.Election/Campaign", { name: "e", lease: 7, value: "v" });
      const ann = (await logIn(s, "ann")).stream(observe, { name: "e" });
      (await ann.next()).shows({ kv: { value: "v" } });
      ann.cancel();
      const bob = (await logIn(s, "bob")).stream(observe, { name: "e" }, { as: "without the right" });
      (await bob.end()).succeeds();
      (await s.stream(observe, { name: "e" }, { as: "by nobody" }).end()).succeeds();
      const bad = s.stream(observe, { name: "e" }, { as: "bad token", metadata: { token: badToken } });
      (await bad.end()).succeeds();
    },
    {
      ...options,
      divergences: [
        ["without the right", "etcdserver: permission denied"],
        ["by nobody", "etcdserver: user name is empty"],
        ["bad token", "etcdserver: invalid auth token"],
      ].map(([at = "", message = ""]) => ({
        row: "ELECT-30",
        at,
        etcd: { status: "OK" },
        holdfast: { status: "UNKNOWN", message },
      })),
    },
  ),
];

/** The scripts of this section. */
export const scripts = [...watches, ...renewals, ...silences];
