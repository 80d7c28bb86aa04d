// K8S-1 to K8S-14: what kube-apiserver asks for, as it asks for it.

import { numberedKeys, putKeys, refusals } from "../phrases.js";
import { script } from "../script.js";
import type { Request } from "../wire.js";

const status = "etcdserverpb.Maintenance/Status";
const unobserved = "etcd tells another storage version while it starts; compared by the Maintenance scripts";
const prefix = "/registry/pods/";
const prefixEnd = "/registry/pods0";
const pod = (name: string): string => `${prefix}${name}`;

const put = (key: string, value: string, more: Request = {}): Request => ({ request_put: { key, value, ...more } });
const get = (key: string): Request => ({ request_range: { key } });
const unchangedSince = (key: string, mod_revision: number): Request => ({ key, target: "MOD", mod_revision });

const objects = [
  script(["K8S-1", "K8S-2"], "the version is one whose progress requests are trusted", async (s) => {
    await putKeys(s, pod("a"));
    const answer = await s.unary(status, {}, { unobserved });
    answer.shows({ version: /^\d+\.\d+\.\d+$/ });
    const [major = 0, minor = 0, patch = 0] = answer.text("version").split(".").map(Number);
    const number = major * 1_000_000 + minor * 1000 + patch;
    s.ok(number >= 3_005_013 || (number >= 3_004_031 && number < 3_005_000), "3.4.31 to 3.4, or 3.5.13 and later");
  }),
  script(["K8S-3", "K8S-4"], "create, update and delete are transactions that compare the revision", async (s) => {
    const create = { compare: [unchangedSince(pod("a"), 0)], success: [put(pod("a"), "1")] };
    (await s.txn(create)).shows({
      header: { revision: 2 },
      succeeded: true,
      responses: [{ response_put: { header: { revision: 2 } } }],
    });
    (await s.txn(create)).shows({ header: { revision: 2 }, succeeded: false, responses: [] });
    const update = (from: number, value: string): Request => ({
      compare: [unchangedSince(pod("a"), from)],
      success: [put(pod("a"), value)],
      failure: [get(pod("a"))],
    });
    (await s.txn(update(2, "2"))).shows({
      succeeded: true,
      responses: [{ response_put: { header: { revision: 3 }, prev_kv: null } }],
    });
    (await s.txn(update(2, "3"))).shows({
      header: { revision: 3 },
      succeeded: false,
      responses: [{ response_range: { header: { revision: 3 }, kvs: [{ value: "2", mod_revision: 3 }], count: 1 } }],
    });
    const remove = (from: number): Request => ({
      compare: [unchangedSince(pod("a"), from)],
      success: [{ request_delete_range: { key: pod("a") } }],
      failure: [get(pod("a"))],
    });
    (await s.txn(remove(2))).shows({ succeeded: false, responses: [{ response_range: { count: 1 } }] });
    (await s.txn(remove(3))).shows({
      header: { revision: 4 },
      succeeded: true,
      responses: [{ response_delete_range: { header: { revision: 4 }, deleted: 1, prev_kvs: [] } }],
    });
    (await s.txn(update(3, "4"))).shows({
      succeeded: false,
      responses: [{ response_range: { kvs: [], header: { revision: 4 } } }],
    });
  }),
  script("K8S-5", "get, count, and the health check", async (s) => {
    await putKeys(s, ...["a", "b"].map(pod));
    (await s.range(pod("a"), { limit: 1 })).shows({ kvs: [{ mod_revision: 2 }], count: 1, more: false });
    (await s.range(pod("none"))).shows({ header: { revision: 3 }, kvs: [], count: 0 });
    (await s.range("/registry/health")).shows({ kvs: [] });
    (await s.range(prefix, { range_end: prefixEnd, count_only: true })).shows({ kvs: [], count: 2, more: false });
  }),
  script(["K8S-6", "K8S-7"], "a list in pages stays at the revision of its first page", async (s) => {
    const names = numberedKeys(prefix, 7);
    await putKeys(s, ...names);
    const first = await s.range(prefix, { range_end: prefixEnd, limit: 3 });
    first.shows({ kvs: [{}, {}, {}], more: true, count: 7, header: { revision: 8 } });
    await s.deleteRange(names[4] ?? "");
    await putKeys(s, `${names[3]}/new`, "elsewhere");
    const page = (after: string, more: Request = {}) =>
      s.range(`${after}\0`, { range_end: prefixEnd, limit: 3, revision: first.revision, ...more });
    const second = await page(first.text("kvs.2.key"));
    second.shows({
      kvs: [{ key: names[3] ?? "" }, { key: names[4] ?? "" }, {}],
      more: true,
      count: 4,
      header: { revision: 11 },
    });
    const last = await page(second.text("kvs.2.key"));
    last.shows({ kvs: [{ key: names[6] ?? "" }], more: false, count: 1, header: { revision: 11 } });
    await s.compact(10);
    (await page(first.text("kvs.2.key"))).refused(...refusals.compacted);
    (await s.range(prefix, { range_end: prefixEnd, revision: 99 })).refused(...refusals.future);
  }),
  script("K8S-14", "a list of keys only", async (s) => {
    await putKeys(s, ...["a", "b"].map(pod));
    const listed = await s.range(prefix, { range_end: prefixEnd, keys_only: true, limit: 10 });
    listed.shows({ kvs: [{ value: "" }, { value: "" }], count: 2 });
    const { dbSize } = (await s.unary(status, {}, { unobserved })).message;
    s.ok(Number(dbSize) > 0, "the size is told");
  }),
  script("K8S-13", "RangeStream fills a cache; what does not exist is unimplemented", async (s) => {
    await putKeys(s, ...numberedKeys(prefix, 25));
    const request = { key: prefix, range_end: prefixEnd, limit: 20 };
    const stream = s.stream("etcdserverpb.KV/RangeStream", request, { as: "pieces" });
    (await stream.end()).succeeds();
    const nothing = new Uint8Array(5);
    (await s.raw("/etcdserverpb.KV/RangeStreamOfTheFuture", nothing)).refused("UNIMPLEMENTED", /unknown method/);
  }),
];

const watching = [
  script(["K8S-8", "K8S-12"], "a watch with previous values, from the revision after a list", async (s) => {
    await putKeys(s, ...["a", "b"].map(pod));
    const list = await s.range(prefix, { range_end: prefixEnd });
    const metadata = { hasleader: "true" };
    const create = { key: prefix, range_end: prefixEnd, prev_kv: true, progress_notify: true };
    const from = { ...create, start_revision: list.revision + 1 };
    await putKeys(s, pod("a"), "elsewhere");
    await s.deleteRange(pod("b"));
    const watch = await s.watch(from, { metadata });
    await putKeys(s, pod("c"));
    const events = await watch.events(3);
    s.equal(
      events.map(({ type, prev_kv }) => [type, prev_kv === null]),
      [
        ["PUT", false],
        ["DELETE", false],
        ["PUT", true],
      ],
    );
    await s.compact(5);
    const late = s.stream("etcdserverpb.Watch/Watch", undefined, { metadata });
    late.send({ create_request: from });
    (await late.next()).shows({ created: true });
    (await late.next()).shows({ canceled: true, compact_revision: 5 });
  }),
  script("K8S-9", "progress is told on request, with the revision that was reached", async (s) => {
    await putKeys(s, pod("a"));
    const watch = await s.watch({ key: prefix, range_end: prefixEnd, progress_notify: true });
    await putKeys(s, "elsewhere");
    watch.send({ progress_request: {} });
    (await watch.next()).shows({ watch_id: -1, header: { revision: 3 }, events: [] });
    await putKeys(s, pod("b"));
    await watch.events(1);
    watch.send({ progress_request: {} });
    (await watch.next()).shows({ watch_id: -1, header: { revision: 4 }, events: [] });
  }),
  script(
    "K8S-9",
    "bookmarks come by themselves at the interval that is set",
    async (s) => {
      await putKeys(s, pod("a"));
      const watch = await s.watch({ key: prefix, range_end: prefixEnd, progress_notify: true });
      (await watch.until({ events: [], created: false })).shows({ watch_id: 0, header: { revision: 2 } });
      await putKeys(s, "elsewhere");
      (await watch.until({ header: { revision: 3 } })).shows({ watch_id: 0, events: [] });
    },
    { args: ["--watch-progress-notify-interval", "200ms"] },
  ),
  script("K8S-10", "the compactor: one of several wins, and compacts what it noted before", async (s) => {
    await putKeys(s, "a", "a", "a");
    const turn = (version: number, noted: string): Request => ({
      compare: [{ key: "compact_rev_key", target: "VERSION", version }],
      success: [put("compact_rev_key", noted)],
      failure: [get("compact_rev_key")],
    });
    (await s.txn(turn(0, "0"))).shows({ succeeded: true, header: { revision: 5 } });
    (await s.txn(turn(0, "0"))).shows({
      succeeded: false,
      responses: [{ response_range: { kvs: [{ value: "0", version: 1 }] } }],
    });
    (await s.txn(turn(1, "5"))).shows({ succeeded: true });
    (await s.compact(5)).succeeds();
    (await s.compact(5)).refused(...refusals.compacted);
    (await s.range("a", { revision: 4 })).refused(...refusals.compacted);
    (await s.range("a", { revision: 5 })).shows({ kvs: [{ version: 3 }] });
  }),
  script("K8S-11", "one lease for many keys, left to expire", async (s) => {
    const lease = (await s.unary("etcdserverpb.Lease/LeaseGrant", { TTL: 2 })).text("ID");
    const event = (name: string): Request => ({
      compare: [unchangedSince(name, 0)],
      success: [{ request_put: { key: name, value: "v", lease: BigInt(lease) } }],
    });
    const watch = await s.watch({ key: "/registry/events/", range_end: "/registry/events0" });
    for (const name of ["x", "y"]) {
      (await s.txn(event(`/registry/events/${name}`))).shows({ succeeded: true });
    }
    const events = await watch.events(4);
    s.equal(
      events.map(({ type }) => type),
      ["PUT", "PUT", "DELETE", "DELETE"],
    );
  }),
];

/** The scripts of this section. */
export const scripts = [...objects, ...watching];
