// LIM-1 to LIM-5, and ORD-1 and ORD-3: how large, how many, how often, and what is looked at first.

import { connect } from "node:http2";
import { putKeys, readAll, refusals } from "../phrases.js";
import { script } from "../script.js";
import type { Request } from "../wire.js";

const requestBytesMax = 1_572_864;
const messageBytesMax = 2_097_152;
const large = (bytes: number): string => "v".repeat(bytes);

const sizes = [
  script("LIM-1", "a write above 1.5 MiB is too large, a value of 1.5 MiB as well", async (s) => {
    (await s.put("a", large(requestBytesMax - 512))).shows({ header: { revision: 2 } });
    (await s.put("a", large(requestBytesMax))).refused(...refusals.tooLarge);
    (await s.put("a", large(requestBytesMax + 400_000))).refused(...refusals.tooLarge);
    const half = large(requestBytesMax / 2);
    const two = ["a", "b"].map((key) => ({ request_put: { key, value: half } }));
    (await s.txn({ success: two })).refused(...refusals.tooLarge);
    (await s.txn({ compare: [{ key: "a", target: "VERSION" }], success: two })).refused(...refusals.tooLarge);
    (await s.deleteRange(large(requestBytesMax))).refused(...refusals.tooLarge);
    (await s.range(large(requestBytesMax))).shows({ count: 0 });
    (await s.txn({ success: [{ request_range: { key: large(requestBytesMax) } }] })).succeeds();
    const compare = [{ key: "a", target: "VALUE", value: large(requestBytesMax) }];
    (await s.txn({ compare })).shows({ succeeded: false });
    (await readAll(s)).shows({ count: 1, header: { revision: 2 } });
  }),
  script("LIM-1", "the request counts as etcd wraps it", async (s) => {
    // A key of one byte and a value this long make 7 bytes of tags and lengths; etcd's own wrapping makes 17 or 18 more.
    const valueFor = (messageBytes: number): string => large(messageBytes - 7);
    (await s.put("a", valueFor(requestBytesMax - 20))).shows({ header: { revision: 2 } });
    (await s.put("a", valueFor(requestBytesMax - 14), {}, { as: "wrapped" })).refused(...refusals.tooLarge);
    (await s.put("a", valueFor(requestBytesMax), {}, { as: "exact" })).refused(...refusals.tooLarge);
  }),
  script(
    "LIM-1",
    "the limit is the configured one",
    async (s) => {
      (await s.put("a", large(900))).succeeds();
      (await s.put("a", large(1001))).refused(...refusals.tooLarge);
      const tooLong = /^grpc: received message larger than max \(\d+ vs\. 525288\)$/;
      (await s.put("a", large(600_000))).refused("RESOURCE_EXHAUSTED", tooLong);
    },
    { args: ["--max-request-bytes", "1000"] },
  ),
  script("LIM-2", "a message above 2 MiB is refused before it is read", async (s) => {
    const put = { key: "a", value: large(messageBytesMax) };
    const received = /^grpc: received message larger than max \(\d+ vs\. 2097152\)$/;
    (await s.unary("etcdserverpb.KV/Put", put)).refused("RESOURCE_EXHAUSTED", received);
    (await s.range(large(messageBytesMax))).refused("RESOURCE_EXHAUSTED", received);
    const exactly = messageBytesMax - 4;
    (await s.range(large(exactly))).shows({ count: 0 });
    (await s.range(large(exactly + 1))).refused("RESOURCE_EXHAUSTED", received);
    const watch = s.stream("etcdserverpb.Watch/Watch");
    watch.send({ create_request: { key: large(messageBytesMax) } });
    (await watch.end()).refused("RESOURCE_EXHAUSTED", received);
  }),
  script("LIM-3", "answers may be larger than requests", async (s) => {
    for (const key of ["a", "b", "c", "d", "e"]) {
      await s.put(key, large(1_500_000));
    }
    (await readAll(s)).shows({ count: 5, kvs: [{}, {}, {}, {}, {}] });
    const unobserved = "only the size matters, and it is what was put";
    const all = await s.range("a", { range_end: "z" }, { unobserved });
    s.equal(all.text("kvs.4.value").length, 1_500_000);
  }),
  script("LIM-4", "pings in quick succession end the connection", async (s) => {
    const session = connect(`http://${s.endpoint}`);
    session.on("error", () => undefined);
    const farewell = new Promise<string>((resolve) => {
      session.once("goaway", (code, _stream, text) => resolve(`${code} ${Buffer.from(text ?? []).toString()}`));
      session.once("close", () => resolve("closed without a farewell"));
    });
    let over = false;
    farewell.then(() => {
      over = true;
    });
    await new Promise((resolve) => session.once("connect", resolve));
    for (let pings = 0; pings < 10_000 && !over; pings += 1) {
      await new Promise<void>((resolve) => {
        if (session.destroyed || !session.ping(() => resolve())) {
          resolve();
        }
      });
    }
    s.observe("farewell", over ? await farewell : "none");
    session.destroy();
    s.equal(await farewell, "11 too_many_pings");
    (await s.range("a")).succeeds();
  }),
  script("LIM-5", "keys have no limit of their own", async (s) => {
    const key = "k".repeat(1_000_000);
    (await s.put(key, "v")).succeeds();
    (await s.range(key)).shows({ count: 1 });
    (await s.deleteRange("k", { range_end: "l" })).shows({ deleted: 1 });
  }),
];

const put = (key: string, more: Request = {}): Request => ({ request_put: { key, ...more } });

const orders = [
  script("ORD-1", "shape before size before state", async (s) => {
    (await s.put("", large(requestBytesMax))).refused(...refusals.keyMissing);
    (await s.put("a", large(requestBytesMax), { ignore_value: true })).refused(...refusals.valueGiven);
    (await s.put("a", large(requestBytesMax), { lease: 9 })).refused(...refusals.tooLarge);
    (await s.put("a", "v", { ignore_value: true, lease: 9 })).refused(...refusals.valueGiven);
    (await s.put("a", "", { ignore_value: true, lease: 9 })).refused(...refusals.leaseNotFound);
    (await s.put("a", "v", { ignore_value: true, lease: 9, ignore_lease: true })).refused(...refusals.valueGiven);
    (await s.put("a", "v", { ignore_lease: true, lease: 9 })).refused(...refusals.leaseGiven);
    const sized = { value: large(requestBytesMax) };
    (await s.txn({ success: [put("a", sized), put("a")] })).refused(...refusals.duplicateKey);
    (await s.txn({ success: [put("a", { ...sized, lease: 9 })] })).refused(...refusals.tooLarge);
    (await s.txn({ success: [put("a", { lease: 9 }), put("b", { ignore_value: true })] })).refused(
      ...refusals.leaseNotFound,
    );
    (await s.txn({ success: [put("b", { ignore_value: true }), put("a", { lease: 9 })] })).refused(
      ...refusals.keyNotFound,
    );
    const future = { request_range: { key: "a", revision: 99 } };
    (await s.txn({ success: [future, put("a", { lease: 9 })] })).refused(...refusals.future);
    (await s.txn({ success: [put("a", { lease: 9 }), future] })).refused(...refusals.leaseNotFound);
    (await readAll(s)).shows({ header: { revision: 1 } });
  }),
  script("ORD-3", "a transaction's shape: count, compares, operations, then duplicates", async (s) => {
    const tooMany = Array.from({ length: 129 }, () => put("a"));
    const duplicate = [put("a"), put("a")];
    (await s.txn({ compare: [{}], success: tooMany })).refused(...refusals.tooManyOperations);
    (await s.txn({ compare: [{}], success: [{}] })).refused(...refusals.keyMissing);
    (await s.txn({ success: [{}, put("")] })).refused(...refusals.keyNotFound);
    (await s.txn({ success: [put(""), {}] })).refused(...refusals.keyMissing);
    (await s.txn({ success: [...duplicate, put("")] })).refused(...refusals.keyMissing);
    (await s.txn({ success: duplicate, failure: [put("")] })).refused(...refusals.keyMissing);
    (await s.txn({ success: [put("a", { ignore_value: true, value: "v" })], failure: [{}] })).refused(
      ...refusals.valueGiven,
    );
    const sort = { request_range: { key: "a", sort_order: 9 } };
    (await s.txn({ success: [sort], failure: [put("")] })).refused(...refusals.sortUnknown);
    (await s.txn({ success: [{ request_txn: { success: duplicate } }, put("")] })).refused("INVALID_ARGUMENT", /./);
    (await s.txn({ success: [{ request_txn: { success: tooMany } }, put("")] })).refused(...refusals.tooManyOperations);
    await putKeys(s, "a");
    (await readAll(s)).shows({ header: { revision: 2 } });
  }),
];

/** The scripts of this section. */
export const scripts = [...sizes, ...orders];
