// KV-14 to KV-21: RangeStream.

import type { CallOptions } from "../client.js";
import { everything, numberedKeys, putKeys, refusals } from "../phrases.js";
import { script } from "../script.js";
import type { Session } from "../session.js";
import type { MessageStream } from "../stream.js";
import type { Message, Request } from "../wire.js";

const method = "etcdserverpb.KV/RangeStream";

/** Reads a range stream to its end, which must be good; returns how many keys each piece held. */
async function pieces(s: Session, request: Request, options: CallOptions = {}): Promise<readonly number[]> {
  const stream = s.stream(method, request, options);
  const sizes: number[] = [];
  for (;;) {
    const response = (await stream.next()).at("range_response") as Message;
    sizes.push((response.kvs as readonly Message[]).length);
    if (response.header !== null) {
      (await stream.end()).succeeds();
      return sizes;
    }
  }
}

const unobserved = { unobserved: "only how many keys each piece held is compared" };

async function refusedWith(stream: MessageStream, status: string, details: string): Promise<void> {
  (await stream.end()).refused(status, details);
}

async function putLarge(s: Session, count: number, bytes: number): Promise<void> {
  for (const key of numberedKeys("k", count)) {
    await s.put(key, "v".repeat(bytes), {}, { unobserved: "large, and no more than a preparation" });
  }
}

const answers = [
  script("KV-14", "pieces merge to the answer of Range; header, more and count are in the last", async (s) => {
    await putKeys(s, ...numberedKeys("k", 35));
    s.equal(await pieces(s, everything), [10, 20, 5]);
    s.equal(await pieces(s, { key: "k0001" }), [1]);
    s.equal(await pieces(s, { key: "none" }), [0]);
    s.equal(await pieces(s, { key: "k0005", range_end: "k0015" }), [10]);
    s.equal(await pieces(s, { key: "b", range_end: "a" }), [0]);
    (await s.range("k", { range_end: "l" })).shows({ count: 35 });
  }),
  script("KV-15", "a stream reads at the revision at which it started", async (s) => {
    await putLarge(s, 20, 100_000);
    const stream = s.stream(method, everything);
    stream.pause();
    await stream.started();
    await s.put("k0015", "new");
    await s.deleteRange("k0016");
    stream.resume();
    await stream.take(1);
    const last = await stream.next();
    last.shows({ range_response: { header: { revision: 21 }, count: 20 } });
    s.equal(last.text("range_response.kvs.5.value").length, 100_000);
    (await stream.end()).succeeds();
  }),
  script("KV-16", "pieces double from 10 keys while they are small", async (s) => {
    await putKeys(s, ...numberedKeys("k", 200));
    s.equal(await pieces(s, everything), [10, 20, 40, 80, 50]);
  }),
  script("KV-16", "pieces stop growing above half the request limit", async (s) => {
    await putLarge(s, 45, 100_000);
    s.equal(await pieces(s, everything), [10, 10, 10, 10, 5]);
  }),
  script("KV-16", "pieces halve above twice the request limit", async (s) => {
    await putLarge(s, 24, 500_000);
    s.equal(await pieces(s, everything), [10, 5, 5, 4]);
  }),
  script(
    "KV-16",
    "the request limit that counts is the configured one, and one large value goes alone",
    async (s) => {
      await putLarge(s, 30, 9000);
      s.equal((await pieces(s, everything)).slice(0, 6), [10, 5, 2, 2, 2, 2]);
    },
    { args: ["--max-request-bytes", "10000"] },
  ),
];

const options = [
  script("KV-17", "limit caps the total", async (s) => {
    await putKeys(s, ...numberedKeys("k", 40));
    s.equal(await pieces(s, { ...everything, limit: 5 }), [5]);
    s.equal(await pieces(s, { ...everything, limit: 10 }), [10]);
    s.equal(await pieces(s, { ...everything, limit: 11 }), [10, 1]);
    s.equal(await pieces(s, { ...everything, limit: 30 }), [10, 20]);
    s.equal(await pieces(s, { ...everything, limit: 40 }), [10, 20, 10]);
    s.equal(await pieces(s, { ...everything, limit: 41 }), [10, 20, 10]);
  }),
  script(
    "KV-17",
    "a negative limit is none",
    async (s) => {
      await putKeys(s, ...numberedKeys("k", 12));
      s.observe("pieces", await pieces(s, { ...everything, limit: -3 }, unobserved));
    },
    { divergences: [{ row: "KV-17", at: "pieces.value", etcd: [12], holdfast: [10, 2] }] },
  ),
  script("KV-18", "count_only, keys_only and revision", async (s) => {
    await s.grant(600, 7);
    await s.put("a", "one", { lease: 7 });
    await putKeys(s, "b", "c");
    s.equal(await pieces(s, { ...everything, count_only: true }), [0]);
    s.equal(await pieces(s, { ...everything, count_only: true, limit: 1 }), [0]);
    s.equal(await pieces(s, { ...everything, count_only: true, revision: 2 }), [0]);
    s.equal(await pieces(s, { ...everything, keys_only: true }), [3]);
    s.equal(await pieces(s, { ...everything, revision: 3 }), [2]);
    s.equal(await pieces(s, { ...everything, serializable: true, revision: -1 }), [3]);
    await refusedWith(s.stream(method, { ...everything, revision: 5 }), ...refusals.future);
    await refusedWith(s.stream(method, { key: "" }), ...refusals.keyMissing);
    await s.compact(3);
    await refusedWith(s.stream(method, { ...everything, revision: 2 }), ...refusals.compacted);
    await refusedWith(s.stream(method, { ...everything, count_only: true, revision: 2 }), ...refusals.compacted);
  }),
  script("KV-19", "other orders and revision filters are not implemented", async (s) => {
    await putKeys(s, "a", "b");
    const noSort = ["UNIMPLEMENTED", "RangeStream does not support custom sort orders"] as const;
    const noFilter = ["UNIMPLEMENTED", "RangeStream does not support revision filters"] as const;
    for (const [sort_order, sort_target] of [
      ["DESCEND", "KEY"],
      ["ASCEND", "VALUE"],
      ["DESCEND", "MOD"],
    ]) {
      await refusedWith(s.stream(method, { ...everything, sort_order, sort_target }), ...noSort);
    }
    for (const filter of ["min_mod_revision", "max_mod_revision", "min_create_revision", "max_create_revision"]) {
      await refusedWith(s.stream(method, { ...everything, [filter]: 1 }), ...noFilter);
      await refusedWith(s.stream(method, { ...everything, [filter]: -1 }), ...noFilter);
    }
    await refusedWith(s.stream(method, { ...everything, sort_order: 4 }), ...refusals.sortUnknown);
    await refusedWith(s.stream(method, { ...everything, sort_target: 7 }), ...refusals.sortUnknown);
    await refusedWith(s.stream(method, { ...everything, sort_order: "DESCEND", min_mod_revision: 1 }), ...noSort);
    s.equal(await pieces(s, { ...everything, sort_order: "ASCEND" }), [2]);
    s.equal(await pieces(s, { ...everything, sort_order: "ASCEND", count_only: true }), [0]);
  }),
  script(
    "KV-19",
    "order NONE with a target is key order",
    async (s) => {
      await s.put("a", "2");
      await s.put("b", "1");
      const stream = s.stream(method, { ...everything, sort_target: "VALUE" }, { as: "by value" });
      (await stream.next()).shows({ range_response: { kvs: [{ key: "b" }, { key: "a" }], count: 2 } });
      (await stream.end()).succeeds();
    },
    {
      divergences: [
        {
          row: "KV-19",
          at: "by value.messages.0.range_response.kvs",
          etcd: [{ key: "b" }, { key: "a" }],
          holdfast: [{ key: "a" }, { key: "b" }],
        },
      ],
    },
  ),
  script("KV-20", "a compaction that overtakes the stream ends it", async (s) => {
    await putLarge(s, 40, 100_000);
    const options = { unobserved: "how many pieces are read ahead of the client is no part of the contract" };
    const stream = s.stream(method, { ...everything, revision: 41 }, options);
    stream.pause();
    await stream.started();
    await s.put("k0000", "new");
    await s.compact(42);
    stream.resume();
    await refusedWith(stream, ...refusals.compacted);
  }),
  script("KV-21", "there is no JSON mapping of it", async (s) => {
    for (const path of ["/v3/kv/rangestream", "/v3/kv/range_stream", "/v3/kv/range/stream"]) {
      (await s.http({ path, body: { key: "YQ==" } })).shows(404, { code: 5 });
    }
  }),
];

/** The scripts of this section. */
export const scripts = [...answers, ...options];
