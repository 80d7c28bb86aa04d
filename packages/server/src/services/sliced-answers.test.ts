/** F14: an answer that is encoded in slices is, byte for byte, what it would have been in one go. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createDeleteRangeResponse,
  createPutResponse,
  createRangeRequest,
  createRangeResponse,
  createRequestOp,
  createResponseOp,
  createTxnResponse,
  encodeDeleteRangeResponse,
  encodeTxnResponse,
  type KeyValue,
  kvService,
  type ResponseOp,
} from "@holdfast/protocol";

import type { ServerCall } from "@holdfast/transport";
import fc from "fast-check";
import { Services } from "../testing/services.js";
import { byteString } from "../testing/test-client.js";
import type { ServiceContext } from "./context.js";
import { HeaderWriter } from "./header-writer.js";
import { SlicedAnswers } from "./sliced-answers.js";

const header = { clusterId: 7n, memberId: 8n, revision: 9, raftTerm: 2 };

const pair: fc.Arbitrary<KeyValue> = fc.record({
  key: fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 5 }).map(byteString),
  value: fc.uint8Array({ maxLength: 40 }),
  createRevision: fc.nat(300),
  modRevision: fc.nat(300),
  version: fc.nat(300),
  lease: fc.bigInt(0n, 300n),
});
const pairs = fc.array(pair, { maxLength: 12 });

const range = fc
  .record({ kvs: pairs, more: fc.boolean(), count: fc.nat(20) })
  .map((fields) => createResponseOp({ responseRange: createRangeResponse({ header, ...fields }) }));
const deletion = fc
  .record({ prevKvs: pairs, deleted: fc.nat(20) })
  .map((fields) => createResponseOp({ responseDeleteRange: createDeleteRangeResponse({ header, ...fields }) }));
const put = fc
  .option(pair, { nil: undefined })
  .map((prevKv) => createResponseOp({ responsePut: createPutResponse({ header, prevKv }) }));
const { operations } = fc.letrec<{ operations: ResponseOp[]; nested: ResponseOp }>((tie) => ({
  operations: fc.array(fc.oneof({ depthSize: "small" }, range, deletion, put, tie("nested")), { maxLength: 4 }),
  nested: fc
    .record({ responses: tie("operations"), succeeded: fc.boolean() })
    .map((fields) => createResponseOp({ responseTxn: createTxnResponse({ header, ...fields }) })),
}));

/** A context that knows who answers, as `header` says. */
function contextWith(parts: object): ServiceContext {
  const headers = new HeaderWriter(header);
  const context: Pick<ServiceContext, "writeHeader" | "withHeader"> = {
    writeHeader: (writer, revision) => headers.write(writer, revision, header.raftTerm),
    withHeader: (response) => ({ ...response, header: { ...header, revision: response.header?.revision ?? 0 } }),
  };
  return { ...parts, ...context } as unknown as ServiceContext;
}

/** What a call is answered, and in how many turns. */
function answered(send: (answers: SlicedAnswers, call: ServerCall) => void): { bytes: Buffer; turns: number } {
  const deferred: (() => void)[] = [];
  const environment = { defer: (task: () => void) => void deferred.push(task) };
  const limits = { rangeSliceKeys: 3, rangeSliceBytes: 64 };
  const replies: Buffer[] = [];
  const call = {
    ended: false,
    reply: (bytes: Uint8Array) => void replies.push(Buffer.from(bytes)),
    replyParts: (parts: Uint8Array[]) => void replies.push(Buffer.concat(parts)),
  };
  send(new SlicedAnswers(contextWith({ environment, limits })), call as unknown as ServerCall);
  let turns = 0;
  for (; deferred.length > 0; turns++) for (const task of deferred.splice(0)) task();
  assert.equal(replies.length, 1);
  return { bytes: replies[0] as Buffer, turns };
}

test("F14: any answer of a transaction is the same in slices", () => {
  fc.assert(
    fc.property(operations, fc.boolean(), (responses, succeeded) => {
      const response = createTxnResponse({ header, succeeded, responses });
      const { bytes } = answered((answers, call) => answers.txn(call, response));
      assert.deepEqual(bytes, Buffer.from(encodeTxnResponse(response)));
    }),
  );
});

test("F14, LIMIT rangeSliceKeys: the previous pairs of a delete go out in slices, and are the same", () => {
  fc.assert(
    fc.property(fc.array(pair, { minLength: 4, maxLength: 30 }), (prevKvs) => {
      const response = createDeleteRangeResponse({ header, deleted: prevKvs.length, prevKvs });
      const { bytes, turns } = answered((answers, call) => answers.deleteRange(call, response));
      assert.deepEqual(bytes, Buffer.from(encodeDeleteRangeResponse(response)));
      assert.ok(turns >= prevKvs.length / 3, `${turns} turns`);
    }),
  );
});

test("I2: what a transaction read is what it answers, whatever is written while the answer is made", async (t) => {
  const client = await (await Services.start(t, { serviceLimits: { rangeSliceKeys: 5 } })).connect();
  for (let i = 0; i < 50; i++) await client.put(`k${i}`, "old");
  const requestRange = createRangeRequest({ key: byteString("k"), rangeEnd: byteString("l") });
  const answer = client.call(kvService.methods.txn, { success: [createRequestOp({ requestRange })] });
  const writes = Array.from({ length: 50 }, (_, i) => client.put(`k${i}`, "new"));
  const [{ responses }] = await Promise.all([answer, ...writes, client.delete("k", "l")]);
  const kvs = responses[0]?.responseRange?.kvs ?? [];
  assert.equal(kvs.length, 50);
  assert.deepEqual([...new Set(kvs.map(({ value }) => Buffer.from(value).toString()))], ["old"]);
});
