// CLUS-1 to CLUS-6: what a single member answers about its cluster.

import type { Answer } from "../answer.js";
import type { CallOptions, Client } from "../client.js";
import { script } from "../script.js";
import type { Session } from "../session.js";
import type { Request } from "../wire.js";

const cluster = (client: Client, method: string, request: Request = {}, options?: CallOptions): Promise<Answer> =>
  client.unary(`etcdserverpb.Cluster/${method}`, request, options);

const badUrls = ["INVALID_ARGUMENT", "etcdserver: given member URLs are invalid"] as const;
const memberNotFound = ["NOT_FOUND", "etcdserver: member not found"] as const;
const notCapable = { status: "FAILED_PRECONDITION", message: "etcdserver: not capable" } as const;

/** The member's own id. */
async function ownId(s: Session): Promise<string> {
  return (await s.range("a")).text("header.member_id");
}

const listing = [
  script(
    "CLUS-1",
    "the only member has a name and the addresses of clients",
    async (s) => {
      for (const linearizable of [true, false]) {
        const list = await cluster(s, "MemberList", { linearizable }, { as: `linearizable ${linearizable}` });
        list.shows({
          header: { revision: 0 },
          members: [{ name: "default", clientURLs: [`http://${s.endpoint}`], isLearner: false }],
        });
        s.equal(list.text("members.0.ID"), list.text("header.member_id"));
      }
      const named = await s.connect({ metadata: { hasleader: "true" } });
      (await cluster(named, "MemberList", { linearizable: true }, { as: "hasleader" })).shows({ members: [{}] });
    },
    {
      divergences: ["linearizable true", "linearizable false", "hasleader"].map((name) => ({
        row: "CLUS-1",
        at: `${name}.response.members.0.peerURLs`,
        etcd: [/^http:/],
        holdfast: [],
      })),
    },
  ),
  script(
    "CLUS-1",
    "a member is called what its flags say",
    async (s) => {
      const list = await cluster(s, "MemberList", {}, { as: "list" });
      list.shows({ members: [{ name: "alone", clientURLs: ["http://10.1.2.3:4", "http://db.example:2379"] }] });
    },
    {
      args: [
        ...["--name", "alone", "--initial-cluster", "alone=http://127.0.0.1:0"],
        ...["--advertise-client-urls", "http://db.example:2379,http://10.1.2.3:4"],
      ],
      divergences: [
        { row: "CLUS-1", at: "list.response.members.0.peerURLs", etcd: ["http://127.0.0.1:0"], holdfast: [] },
      ],
    },
  ),
];

const changes = [
  script("CLUS-2", "the only member cannot be removed, another does not exist", async (s) => {
    const ID = await ownId(s);
    const refused = ["UNKNOWN", "etcdserver: re-configuration failed due to not enough started members"] as const;
    (await cluster(s, "MemberRemove", { ID })).refused(...refused);
    (await cluster(s, "MemberRemove", { ID: 12345 })).refused(...memberNotFound);
    (await cluster(s, "MemberRemove", {})).refused(...memberNotFound);
    (await s.put("a", "v")).succeeds();
  }),
  script("CLUS-3", "addresses of a new member are checked", async (s) => {
    const bad = [
      [],
      [""],
      ["nonsense"],
      ["http://"],
      ["127.0.0.1:2380"],
      ["ftp://127.0.0.1:2380"],
      ["http://127.0.0.1"],
      ["http://127.0.0.1:1/path"],
      ["http://127.0.0.1:1/"],
      ["http://127.0.0.1:port"],
      ["http://[::1:1"],
      ["http://127.0.0.1:1", "nonsense"],
    ];
    for (const isLearner of [false, true]) {
      for (const peerURLs of bad) {
        const as = `${JSON.stringify(peerURLs)}, learner ${isLearner}`;
        (await cluster(s, "MemberAdd", { peerURLs, isLearner }, { as })).refused(...badUrls);
      }
    }
  }),
  script(
    "CLUS-3",
    "addresses that another member has already",
    async (s) => {
      const peerURLs = ["http://127.0.0.1:1", "http://127.0.0.1:0"];
      (await cluster(s, "MemberAdd", { peerURLs, isLearner: true }, { as: "taken" })).refused(
        "FAILED_PRECONDITION",
        "etcdserver: Peer URLs already exists",
      );
    },
    {
      // There are no peers, so no address is taken.
      divergences: [
        {
          row: "CLUS-4",
          at: "taken",
          etcd: { message: "etcdserver: Peer URLs already exists" },
          holdfast: notCapable,
        },
      ],
    },
  ),
  script(
    "CLUS-4",
    "one learner can be added, and no second",
    async (s) => {
      const add = (port: number, as: string): Promise<Answer> =>
        cluster(s, "MemberAdd", { peerURLs: [`http://127.0.0.1:${port}`], isLearner: true }, { as });
      (await add(1, "first")).shows({ member: { name: "", isLearner: true }, members: [{}, {}] });
      (await add(2, "second")).refused("FAILED_PRECONDITION", "etcdserver: too many learner members in cluster");
      const list = await cluster(s, "MemberList", { linearizable: true }, { as: "list" });
      list.shows({ members: [{}, {}] });
      (await s.put("a", "v")).shows({ header: { revision: 2 } });
    },
    {
      divergences: [
        { row: "CLUS-4", at: "first", etcd: { status: "OK" }, holdfast: notCapable },
        { row: "CLUS-4", at: "second", etcd: { status: "FAILED_PRECONDITION" }, holdfast: notCapable },
        { row: "CLUS-4", at: "list", etcd: { status: "OK" }, holdfast: { response: { members: [{}] } } },
      ],
    },
  ),
  script(
    "CLUS-4",
    "a voting member can be added, and is waited for",
    async (s) => {
      // The last thing this server does: nothing can be written until the member joins.
      const added = await cluster(s, "MemberAdd", { peerURLs: ["http://127.0.0.1:1"] }, { as: "voter" });
      added.shows({ member: { name: "", isLearner: false }, members: [{}, {}] });
    },
    { divergences: [{ row: "CLUS-4", at: "voter", etcd: { status: "OK" }, holdfast: notCapable }] },
  ),
  script("CLUS-5", "a voter cannot be promoted, nor who does not exist", async (s) => {
    const ID = await ownId(s);
    const refused = ["FAILED_PRECONDITION", "etcdserver: can only promote a learner member"] as const;
    (await cluster(s, "MemberPromote", { ID })).refused(...refused);
    (await cluster(s, "MemberPromote", { ID: 12345 })).refused(...memberNotFound);
    (await cluster(s, "MemberPromote", {})).refused(...memberNotFound);
  }),
  script(
    "CLUS-5",
    "a learner that is behind cannot be promoted",
    async (s) => {
      const peerURLs = ["http://127.0.0.1:1"];
      const added = await cluster(s, "MemberAdd", { peerURLs, isLearner: true }, { as: "add" });
      const ID = added.status === "OK" ? added.text("member.ID") : "12345";
      const promoted = await cluster(s, "MemberPromote", { ID }, { as: "promote" });
      promoted.refused("FAILED_PRECONDITION", /which is in sync with leader$/);
    },
    {
      divergences: [
        { row: "CLUS-4", at: "add", etcd: { status: "OK" }, holdfast: notCapable },
        { row: "CLUS-4", at: "promote", etcd: { status: "FAILED_PRECONDITION" }, holdfast: { status: "NOT_FOUND" } },
      ],
    },
  ),
  script("CLUS-6", "a member that does not exist cannot be updated", async (s) => {
    for (const peerURLs of [["http://127.0.0.1:1"], ["nonsense"], []]) {
      const as = peerURLs.join() || "none";
      (await cluster(s, "MemberUpdate", { ID: 12345, peerURLs }, { as })).refused(...memberNotFound);
    }
  }),
  script(
    "CLUS-6",
    "the peer addresses of the own member can be changed, whatever they are",
    async (s) => {
      const ID = await ownId(s);
      for (const peerURLs of [["http://127.0.0.1:0"], ["http://127.0.0.1:1"], ["nonsense"]]) {
        (await cluster(s, "MemberUpdate", { ID, peerURLs }, { as: peerURLs.join() })).shows({
          members: [{ peerURLs }],
        });
      }
      (await s.put("a", "v")).shows({ header: { revision: 2 } });
    },
    {
      divergences: ["http://127.0.0.1:0", "http://127.0.0.1:1", "nonsense"].map((at) => ({
        row: "CLUS-6",
        at,
        etcd: { status: "OK" },
        holdfast: notCapable,
      })),
    },
  ),
];

/** The scripts of this section. */
export const scripts = [...listing, ...changes];
