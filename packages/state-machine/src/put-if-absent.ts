/**
 * The transaction that puts a key if it is absent, and else reads it: how a place in the queue of a lock is taken (LOCK-2).
 *
 * It is a transaction like any other, with the same bytes in the log and the same outcome. Every Lock takes one, so those through
 * whose hands they all go know it by its class and need not make, measure, encode and look through its three lists; everybody else
 * finds the lists when asking for them.
 */
import {
  type ByteString,
  type Compare,
  CompareResult,
  CompareTarget,
  createCompare,
  createRangeRequest,
  createRequestOp,
  fieldTag,
  type PutRequest,
  type RequestOp,
  sharedWriter,
  type TxnRequest,
  WireType,
  type Writer,
  writePutRequest,
} from "@holdfast/protocol";

export class PutIfAbsent implements TxnRequest {
  /** What is put if the key is absent. */
  readonly put: PutRequest;

  constructor(key: ByteString, lease: bigint, value: Uint8Array) {
    this.put = { key, value, lease, prevKv: false, ignoreValue: false, ignoreLease: false };
  }

  get compare(): readonly Compare[] {
    const { CREATE } = CompareTarget;
    return [createCompare({ key: this.put.key, target: CREATE, result: CompareResult.EQUAL, createRevision: 0 })];
  }

  get success(): readonly RequestOp[] {
    return [createRequestOp({ requestPut: this.put })];
  }

  get failure(): readonly RequestOp[] {
    return [createRequestOp({ requestRange: createRangeRequest({ key: this.put.key }) })];
  }
}

/** What the fields of the lists take beside keys and values: enough of a guess to tell how many digits their lengths have. */
const fieldBytes = 6;
const leaseFieldBytes = 11;

const { lengthDelimited, varint } = WireType;
const tags = {
  compare: fieldTag(1, lengthDelimited),
  success: fieldTag(2, lengthDelimited),
  failure: fieldTag(3, lengthDelimited),
  target: fieldTag(2, varint),
  comparedKey: fieldTag(3, lengthDelimited),
  createRevision: fieldTag(5, varint),
  rangeOperation: fieldTag(1, lengthDelimited),
  putOperation: fieldTag(2, lengthDelimited),
  rangeKey: fieldTag(1, lengthDelimited),
} as const;

/** The encoding of the `TxnRequest`, as a view that the next encoding of any message overwrites. */
export function encodeSharedPutIfAbsent({ put }: PutIfAbsent): Uint8Array {
  const { key, value } = put;
  sharedWriter.reset();
  const keyBytes = fieldBytes + key.length;
  writeCompare(sharedWriter, key, keyBytes);
  writeSuccess(sharedWriter, put, keyBytes + leaseFieldBytes + value.length);
  writeFailure(sharedWriter, key, keyBytes);
  return sharedWriter.view();
}

function writeCompare(writer: Writer, key: ByteString, expectedBytes: number): void {
  const start = writer.begin(tags.compare, expectedBytes);
  // The result, EQUAL, is a zero and left out; the revision is one of several operands and there though it is zero.
  writer.int32Field(tags.target, CompareTarget.CREATE);
  if (key.length !== 0) writer.byteStringField(tags.comparedKey, key);
  writer.int64NumberField(tags.createRevision, 0);
  writer.end(start, expectedBytes);
}

function writeSuccess(writer: Writer, put: PutRequest, expectedBytes: number): void {
  const start = writer.begin(tags.success, expectedBytes);
  const operation = writer.begin(tags.putOperation, expectedBytes);
  writePutRequest(writer, put);
  writer.end(operation, expectedBytes);
  writer.end(start, expectedBytes);
}

function writeFailure(writer: Writer, key: ByteString, expectedBytes: number): void {
  const start = writer.begin(tags.failure, expectedBytes);
  const operation = writer.begin(tags.rangeOperation, expectedBytes);
  if (key.length !== 0) writer.byteStringField(tags.rangeKey, key);
  writer.end(operation, expectedBytes);
  writer.end(start, expectedBytes);
}
