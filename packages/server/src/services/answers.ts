/**
 * Encodings of the answers that are given most often. Who answers takes most of a header's bytes and is encoded once
 * (`HeaderWriter`); the core's headers, which say the revision only, need not be made into whole ones for that.
 *
 * Each is a view that the next encoding of any message overwrites.
 */
import {
  type ByteString,
  type DeleteRangeResponse,
  type PutResponse,
  type RangeResponse,
  type ResponseHeader,
  type ResponseOp,
  sharedWriter,
  type TxnResponse,
  type Writer,
  writeDeleteRangeResponse,
  writeLockResponse,
  writePutResponse,
  writeRangeResponse,
  writeTxnResponse,
} from "@holdfast/protocol";
import type { ServiceContext } from "./context.js";

/** What comes out of the core: its header has a revision, and the services know who answers (GEN-3). */
interface Answer {
  readonly header: ResponseHeader | undefined;
}

export function encodePutAnswer(context: ServiceContext, answer: PutResponse): Uint8Array {
  const { prevKv } = answer;
  const writer = begin(context, answer);
  if (prevKv !== undefined) writePutResponse(writer, { header: undefined, prevKv });
  return writer.view();
}

export function encodeRangeAnswer(context: ServiceContext, answer: RangeResponse): Uint8Array {
  const { kvs, more, count } = answer;
  const writer = begin(context, answer);
  writeRangeResponse(writer, { header: undefined, kvs, more, count });
  return writer.view();
}

export function encodeDeleteRangeAnswer(context: ServiceContext, answer: DeleteRangeResponse): Uint8Array {
  const { deleted, prevKvs } = answer;
  const writer = begin(context, answer);
  writeDeleteRangeResponse(writer, { header: undefined, deleted, prevKvs });
  return writer.view();
}

export function encodeTxnAnswer(context: ServiceContext, answer: TxnResponse): Uint8Array {
  const { succeeded, responses } = answer;
  const writer = begin(context, answer);
  if (responses.length > 1 && areOne(responses)) writeRepeated(writer, succeeded, responses);
  else writeTxnResponse(writer, { header: undefined, succeeded, responses });
  return writer.view();
}

/** Plain puts all have the same answer. */
function areOne(responses: readonly ResponseOp[]): boolean {
  for (const response of responses) if (response !== responses[0]) return false;
  return true;
}

/** An answer whose responses, which come last in it, are all the same. */
function writeRepeated(writer: Writer, succeeded: boolean, responses: readonly ResponseOp[]): void {
  writeTxnResponse(writer, { header: undefined, succeeded, responses: [] });
  const start = writer.length;
  writeTxnResponse(writer, { header: undefined, succeeded: false, responses: responses.slice(0, 1) });
  writer.repeat(start, responses.length - 1);
}

/** `LockResponse`, given now. */
export function encodeLockAnswer(context: ServiceContext, key: ByteString): Uint8Array {
  const writer = beginAt(context, context.replica.machine.revision);
  writeLockResponse(writer, { header: undefined, key });
  return writer.view();
}

/** The encoding of any answer that is nothing but a header. */
export function encodeBareAnswer(context: ServiceContext, answer: Answer): Uint8Array {
  return begin(context, answer).view();
}

/** The header comes first in every answer. */
function begin(context: ServiceContext, { header }: Answer): Writer {
  return beginAt(context, header?.revision ?? context.replica.machine.revision);
}

function beginAt(context: ServiceContext, revision: number): Writer {
  sharedWriter.reset();
  context.writeHeader(sharedWriter, revision);
  return sharedWriter;
}
