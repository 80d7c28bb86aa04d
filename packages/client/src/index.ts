/**
 * `@holdfast/client`: a connection to Holdfast, or to any server of the etcd v3 API, on which typed calls can be made. It
 * picks an endpoint, speaks TLS, logs in and logs in again. Leases that keep themselves alive, watches that resume and locks
 * are left to what is built upon it.
 *
 * ```ts
 * import { connect } from "@holdfast/client";
 * import { kvService } from "@holdfast/protocol";
 * const connection = await connect({ endpoints: "http://127.0.0.1:2379" });
 * const { kvs } = await connection.call(kvService.methods.range, { key });
 * connection.close();
 * ```
 */

// The words of the API that calls are made of.
export {
  authService,
  type ByteString,
  byteStringFromText,
  type Compare,
  CompareResult,
  CompareTarget,
  createCompare,
  createDeleteRangeRequest,
  createPutRequest,
  createRequestOp,
  emptyByteString,
  etcdErrors,
  type KeyValue,
  kvService,
  leaseService,
  maintenanceService,
  type RequestOp,
  type SnapshotResponse,
  StatusCode,
  textFromByteString,
} from "@holdfast/protocol";
export { type Connection, connect } from "./connection.js";
export type { Duplex } from "./duplex.js";
export { type Endpoint, parseEndpoint, type Secure } from "./endpoint.js";
export { ClientOptionError, ConnectError, EtcdError } from "./errors.js";
export { type ClientLimits, defaultClientLimits } from "./limits.js";
export type { CallOptions, ClientTlsOptions, ConnectOptions, Credentials } from "./options.js";
