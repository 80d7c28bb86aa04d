/** HTTP's number for each status of gRPC (etcd-v3-wire.md 4.5). */
import { StatusCode } from "@holdfast/protocol";

const internalServerError = 500;

const byCode: ReadonlyMap<number, number> = new Map<number, number>([
  [StatusCode.ok, 200],
  [StatusCode.cancelled, 499],
  [StatusCode.unknown, internalServerError],
  [StatusCode.invalidArgument, 400],
  [StatusCode.deadlineExceeded, 504],
  [StatusCode.notFound, 404],
  [StatusCode.alreadyExists, 409],
  [StatusCode.permissionDenied, 403],
  [StatusCode.resourceExhausted, 429],
  [StatusCode.failedPrecondition, 400],
  [StatusCode.aborted, 409],
  [StatusCode.outOfRange, 400],
  [StatusCode.unimplemented, 501],
  [StatusCode.internal, internalServerError],
  [StatusCode.unavailable, 503],
  [StatusCode.dataLoss, internalServerError],
  [StatusCode.unauthenticated, 401],
]);

/** 500 for numbers that gRPC does not know. */
export function httpStatusOf(code: number): number {
  return byCode.get(code) ?? internalServerError;
}
