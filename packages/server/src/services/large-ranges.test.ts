/** F14: large ranges are answered in slices, and are still what one read at one moment would have answered. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  createPutRequest,
  createRangeRequest,
  encodeRangeResponse,
  etcdErrors,
  kvService,
  type RangeRequest,
} from "@holdfast/protocol";
import { HttpHarness } from "../http/testing/http-harness.js";
import { Services } from "../testing/services.js";
import { rejectsAs } from "../testing/status-error.js";
import { byteString, type TestClient } from "../testing/test-client.js";

const { range } = kvService.methods;
const all = { key: byteString("k"), rangeEnd: byteString("l") };
const serviceLimits = { rangeSliceKeys: 10, rangeSliceBytes: 400 };

async function filled(t: TestContext): Promise<{ services: Services; client: TestClient }> {
  const services = await Services.start(t, { serviceLimits });
  const client = await services.connect();
  for (let n = 0; n < 60; n++) await client.put(`k${100 + ((n * 7) % 60)}`, `value ${n}`);
  return { services, client };
}

/** What reading in one go says. */
function inOneGo({ context, replica }: Services, request: Partial<RangeRequest>): Uint8Array {
  const outcome = replica.machine.range(createRangeRequest(request));
  assert.ok(outcome.kind === "range");
  return encodeRangeResponse(context.withHeader(outcome.response));
}

const requests: readonly Partial<RangeRequest>[] = [
  all,
  { ...all, serializable: true },
  { ...all, limit: 25, keysOnly: true },
  { ...all, sortOrder: 2, sortTarget: 3, limit: 40 },
  { ...all, sortOrder: 2 },
  { ...all, minModRevision: 30 },
  { ...all, revision: 45 },
];

test("F14, LIMIT rangeSliceKeys: a range of more keys is read in slices, to the byte what one go says, while writes go on", async (t) => {
  const { services, client } = await filled(t);
  const other = await services.connect();
  for (const request of requests) {
    const expected = inOneGo(services, request);
    let slices = 0;
    const { environment } = services.context;
    const defer = environment.defer.bind(environment);
    services.time.defer = (task) => {
      slices += 1;
      defer(task);
    };
    const answer = client.unary(range.path, range.request.encode(createRangeRequest(request)));
    const put = other.put("k100", "meanwhile");
    assert.equal(Buffer.compare(await answer, expected), 0, JSON.stringify(request));
    await put;
    assert.ok(slices > 3, `${slices} slices`);
  }
});

/** Into how many slices a range of 60 keys with values of 500 bytes is cut. */
async function slicesWith(t: TestContext, rangeSliceBytes: number): Promise<number> {
  const services = await Services.start(t, { serviceLimits: { rangeSliceKeys: 10, rangeSliceBytes } });
  const client = await services.connect();
  for (let n = 0; n < 60; n++) await client.put(`k${100 + n}`, "v".repeat(500));
  const defer = services.time.defer.bind(services.time);
  let slices = 0;
  services.time.defer = (task) => {
    slices += 1;
    defer(task);
  };
  const answer = await client.unary(range.path, range.request.encode(createRangeRequest(all)));
  assert.equal(Buffer.compare(answer, inOneGo(services, all)), 0);
  return slices;
}

test("F14, LIMIT rangeSliceBytes: slices that turn out larger are cut to fewer keys", async (t) => {
  const [wide, narrow] = [await slicesWith(t, 1024 * 1024), await slicesWith(t, 600)];
  assert.ok(narrow > 3 * wide, `${wide} slices, and ${narrow} with the small limit`);
});

test("F14, I3: a compaction in between makes a read of now begin anew, and one of a compacted revision fail", async (t) => {
  const { services, client } = await filled(t);
  const { machine } = services.replica;
  const defer = services.time.defer.bind(services.time);
  let compactions = 0;
  const compactAtSlice = (every: number): void => {
    let slices = 0;
    services.time.defer = (task) =>
      defer(() => {
        slices += 1;
        if (slices % every === 0) {
          machine.apply({ kind: "put", request: createPutRequest({ key: byteString("k100") }) });
          machine.apply({ kind: "compact", revision: machine.revision });
          compactions += 1;
        }
        task();
      });
  };
  compactAtSlice(3);
  const { kvs, header } = await client.call(range, all);
  assert.ok(compactions > 1);
  assert.equal(kvs.length, 60);
  assert.ok(kvs.every(({ modRevision }) => modRevision <= (header?.revision ?? 0)));
  const revision = machine.revision;
  await rejectsAs(client.call(range, { ...all, revision }), etcdErrors.compacted);
  await rejectsAs(client.call(range, { ...all, revision: 999_999 }), etcdErrors.futureRev);
});

test("F14: large ranges take turns, and one whose caller is gone is left", async (t) => {
  const { services, client } = await filled(t);
  const gone = await services.connect();
  const abandoned = gone.call(range, all).catch(() => "gone");
  const answers = [client.call(range, all), client.call(range, all), client.call(range, { ...all, limit: 3 })];
  gone.grpc.destroy();
  assert.deepEqual(
    (await Promise.all(answers)).map(({ kvs }) => kvs.length),
    [60, 60, 3],
  );
  assert.equal(await abandoned, "gone");
});

test("F14, LIMIT answerSliceBytes: a larger answer in JSON is made in slices, and is the same", async (t) => {
  const body = JSON.stringify({ key: "aw==", range_end: "bA==" });
  const texts: string[] = [];
  for (const answerSliceBytes of [200, 1_000_000]) {
    const harness = await HttpHarness.start(t, { serviceLimits, httpLimits: { answerSliceBytes } });
    const client = await harness.services.connect();
    for (let n = 0; n < 60; n++) await client.put(`k${n}`, `value ${n}`);
    const ask = async (): Promise<string> =>
      (await fetch(`${harness.origin}/v3/kv/range`, { method: "POST", body, headers: { connection: "close" } })).text();
    const [text, again] = await Promise.all([ask(), ask()]);
    assert.equal(text, again);
    texts.push(text as string);
    assert.equal(harness.gateway.openCalls, 0);
  }
  assert.equal(texts[0], texts[1]);
  assert.equal((JSON.parse(texts[0] as string) as { kvs: unknown[] }).kvs.length, 60);
});

test("F37, F14: answers that wait to be made into JSON are bounded in bytes", async (t) => {
  const httpLimits = { answerSliceBytes: 100, answerBytesTotalMax: 4_000 };
  const harness = await HttpHarness.start(t, { httpLimits });
  const client = await harness.services.connect();
  for (let n = 0; n < 10; n++) await client.put(`k${n}`, "x".repeat(200));
  const body = JSON.stringify({ key: "aw==", range_end: "bA==" });
  const statuses = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const init = { method: "POST", body, headers: { connection: "close" } };
      const response = await fetch(`${harness.origin}/v3/kv/range`, init);
      await response.arrayBuffer();
      return response.status;
    }),
  );
  assert.ok(statuses.includes(200));
  assert.ok(
    statuses.every((status) => status === 200 || status === 503),
    `${statuses}`,
  );
  assert.equal(harness.counters.answersRefused, statuses.filter((status) => status === 503).length);
  assert.ok(harness.counters.answersRefused > 0);
});
