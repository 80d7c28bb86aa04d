import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ByteString,
  createKeyValue,
  encodeDeleteRangeResponse,
  encodeLockResponse,
  encodePutResponse,
  encodeRangeResponse,
  encodeTxnResponse,
  encodeUnlockResponse,
  type ResponseHeader,
} from "@holdfast/protocol";
import {
  encodeBareAnswer,
  encodeDeleteRangeAnswer,
  encodeLockAnswer,
  encodePutAnswer,
  encodeRangeAnswer,
  encodeTxnAnswer,
} from "./answers.js";
import type { ServiceContext } from "./context.js";
import { HeaderWriter } from "./header-writer.js";

const identity = { clusterId: 2n ** 64n - 1n, memberId: 7n };
const headers = new HeaderWriter(identity);
const raftTerm = 3;
/** What of a context answers need: who answers, and the revision of the store. */
const context = {
  replica: { machine: { revision: 900 }, epoch: raftTerm },
  writeHeader: (writer, revision) => headers.write(writer, revision, raftTerm),
} as Pick<ServiceContext, "writeHeader"> as ServiceContext;

/** As headers leave the core, and as they are to be told. */
const bare: ResponseHeader = { clusterId: 0n, memberId: 0n, revision: 12, raftTerm: 0 };
const header: ResponseHeader = { ...identity, revision: 12, raftTerm };
const pair = createKeyValue({ key: "k" as ByteString, value: Uint8Array.of(1, 2), modRevision: 4, version: 1 });

test("GEN-3: answers of the core are encoded as the codecs do, with the identity filled in", () => {
  for (const prevKv of [undefined, pair]) {
    assert.deepEqual(encodePutAnswer(context, { header: bare, prevKv }), encodePutResponse({ header, prevKv }));
  }
  const range = { kvs: [pair, pair], more: true, count: 5 };
  assert.deepEqual(encodeRangeAnswer(context, { ...range, header: bare }), encodeRangeResponse({ ...range, header }));
  const deletion = { deleted: 2, prevKvs: [pair] };
  assert.deepEqual(
    encodeDeleteRangeAnswer(context, { ...deletion, header: bare }),
    encodeDeleteRangeResponse({ ...deletion, header }),
  );
  assert.deepEqual(encodeBareAnswer(context, { header: bare }), encodeUnlockResponse({ header }));
});

test("GEN-3: the headers inside of a transaction's answer keep to the revision", () => {
  const responsePut = { header: bare, prevKv: undefined };
  const response = { responsePut, responseRange: undefined, responseDeleteRange: undefined, responseTxn: undefined };
  const other = { ...response, responsePut: { header: bare, prevKv: pair } };
  // The answers of plain puts are one object, and are written once.
  const same = (count: number) => new Array<typeof response>(count).fill(response);
  for (const succeeded of [true, false]) {
    for (const responses of [same(0), same(1), same(2), same(128), [...same(3), other], [other, ...same(3)]]) {
      const txn = { succeeded, responses };
      assert.deepEqual(
        Uint8Array.from(encodeTxnAnswer(context, { ...txn, header: bare })),
        encodeTxnResponse({ ...txn, header }),
      );
    }
  }
});

test("GEN-2: a lock is answered at the revision of the store", () => {
  const key = "name/1" as ByteString;
  const now = { ...header, revision: 900 };
  assert.deepEqual(encodeLockAnswer(context, key), encodeLockResponse({ header: now, key }));
  assert.deepEqual(encodeBareAnswer(context, { header: undefined }), encodeUnlockResponse({ header: now }));
});
