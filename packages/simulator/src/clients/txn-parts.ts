/** The parts of transactions, with defaults for what is not given. */
import {
  type Compare,
  compareCodec,
  type DeleteRangeRequest,
  deleteRangeRequestCodec,
  type PutRequest,
  putRequestCodec,
  type RangeRequest,
  type RequestOp,
  rangeRequestCodec,
  requestOpCodec,
  type TxnRequest,
  txnRequestCodec,
} from "@holdfast/protocol";

export function comparison(fields: Partial<Compare>): Compare {
  return compareCodec.create(fields);
}

export function putOp(fields: Partial<PutRequest>): RequestOp {
  return requestOpCodec.create({ requestPut: putRequestCodec.create(fields) });
}

export function getOp(fields: Partial<RangeRequest>): RequestOp {
  return requestOpCodec.create({ requestRange: rangeRequestCodec.create(fields) });
}

export function deleteOp(fields: Partial<DeleteRangeRequest>): RequestOp {
  return requestOpCodec.create({ requestDeleteRange: deleteRangeRequestCodec.create(fields) });
}

export function txnOp(fields: Partial<TxnRequest>): RequestOp {
  return requestOpCodec.create({ requestTxn: txnRequestCodec.create(fields) });
}
