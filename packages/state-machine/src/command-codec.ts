/**
 * Commands as bytes in the log: one byte for the kind, then the etcd request as it came over the wire. A server may
 * therefore log the very bytes it received behind a kind byte of its own making.
 *
 * In front of that may stand who asked for it (`auth/caller-codec.ts`).
 *
 * The bytes are kept for ever: numbers in `commandKinds` are never given to another kind.
 */
import {
  decodeCompactionRequest,
  decodeDeleteRangeRequest,
  decodeLeaseGrantRequest,
  decodeLeaseRevokeRequest,
  decodeLent,
  encodeSharedCompactionRequest,
  encodeSharedDeleteRangeRequest,
  encodeSharedLeaseGrantRequest,
  encodeSharedLeaseRevokeRequest,
  encodeSharedPutRequest,
  encodeSharedTxnRequest,
  MalformedMessageError,
  putRequestCodec,
  txnRequestCodec,
} from "@holdfast/protocol";
import { authBodyDecoders, encodeAuthBody } from "./auth/auth-codec.js";
import type { AlarmCommand, AuthCommand, Caller } from "./auth/auth-types.js";
import { callerBytes, readCaller, writeCaller } from "./auth/caller-codec.js";
import { encodeSharedPutIfAbsent, PutIfAbsent } from "./put-if-absent.js";
import type { Command } from "./types.js";

/** A command as it stands in the log. */
export interface LoggedCommand {
  readonly command: Command;
  /** Who asked for it; undefined for nobody. */
  readonly caller: Caller | undefined;
}

/**
 * The first byte of an encoded command. What follows: the etcd request message of the same name (`CompactionRequest`,
 * `LeaseGrantRequest` and `LeaseRevokeRequest` for the latter ones); for `leaseExpire` the lease id as a signed, and
 * the grant number as an unsigned 64-bit integer, both little-endian; for the rest see `auth/auth-codec.ts`.
 */
export const commandKinds = {
  put: 1,
  deleteRange: 2,
  txn: 3,
  compact: 4,
  leaseGrant: 5,
  leaseRevoke: 6,
  leaseExpire: 7,
  // 8 and 9 begin a caller; see `callerKinds`.
  authEnable: 10,
  authDisable: 11,
  userAdd: 12,
  userDelete: 13,
  userChangePassword: 14,
  userGrantRole: 15,
  userRevokeRole: 16,
  roleAdd: 17,
  roleDelete: 18,
  roleGrantPermission: 19,
  roleRevokePermission: 20,
  alarm: 21,
} as const satisfies Record<Command["kind"], number>;

/** The byte of a command's kind. Those that come by the thousand are told apart here: to find a property by its name takes longer. */
export function kindByteOf({ kind }: Command): number {
  if (kind === "put") return commandKinds.put;
  if (kind === "txn") return commandKinds.txn;
  if (kind === "deleteRange") return commandKinds.deleteRange;
  return commandKinds[kind];
}

const leaseExpireBytes = 16;

/** The kinds whose bodies `auth/auth-codec.ts` knows, by their numbers. */
const authKindsByNumber = new Map<number, (AuthCommand | AlarmCommand)["kind"]>(
  (Object.keys(authBodyDecoders) as (AuthCommand | AlarmCommand)["kind"][]).map((kind) => [commandKinds[kind], kind]),
);

/**
 * The encoding of `command`, as bytes of its own. Throws `RangeError` for a lease or member id that is no 64-bit
 * integer.
 */
export function encodeCommand(command: Command, caller?: Caller): Uint8Array {
  const body = encodeSharedBody(command);
  const bytes = new Uint8Array(callerBytes(caller) + 1 + body.length);
  const position = writeCaller(Buffer.from(bytes.buffer), 0, caller);
  bytes[position] = kindByteOf(command);
  bytes.set(body, position + 1);
  return bytes;
}

/**
 * Reads `bytes[start..end)`. Values are views of `bytes`: whoever keeps a command until these change copies them, as `apply` does.
 * Throws `MalformedMessageError` for anything that is no command.
 */
export function decodeCommand(bytes: Uint8Array, start = 0, end: number = bytes.length): LoggedCommand {
  if (start >= end) throw new MalformedMessageError("empty command");
  const { caller, end: commandStart } = readCaller(bytes, start, end);
  if (commandStart >= end) throw new MalformedMessageError("caller without a command");
  return { command: decodePlainCommand(bytes, commandStart, end), caller };
}

/**
 * `command` as replay will find it in its encoding without a caller. The two differ only where half a surrogate pair
 * stands in a name, which UTF-8 cannot hold; what is applied must be what is logged.
 */
export function loggedForm(command: Command, encoded: Uint8Array): Command {
  return command.kind in authBodyDecoders ? decodePlainCommand(encoded, 0, encoded.length) : command;
}

function decodePlainCommand(bytes: Uint8Array, start: number, end: number): Command {
  const body = start + 1;
  switch (bytes[start]) {
    case commandKinds.put:
      return { kind: "put", request: decodeLent(putRequestCodec, bytes, body, end) };
    case commandKinds.deleteRange:
      return { kind: "deleteRange", request: decodeDeleteRangeRequest(bytes, body, end) };
    case commandKinds.txn:
      return { kind: "txn", request: decodeLent(txnRequestCodec, bytes, body, end) };
    case commandKinds.compact:
      return { kind: "compact", revision: decodeCompactionRequest(bytes, body, end).revision };
    case commandKinds.leaseGrant:
      return decodeLeaseGrant(bytes, body, end);
    case commandKinds.leaseRevoke:
      return { kind: "leaseRevoke", leaseId: decodeLeaseRevokeRequest(bytes, body, end).id };
    case commandKinds.leaseExpire:
      return decodeLeaseExpire(bytes, body, end);
    default:
      return decodeAuthCommand(bytes, start, end);
  }
}

function decodeAuthCommand(bytes: Uint8Array, start: number, end: number): Command {
  const kind = authKindsByNumber.get(bytes[start]!);
  if (kind === undefined) throw new MalformedMessageError("unknown kind of command");
  return authBodyDecoders[kind](bytes, start + 1, end);
}

/**
 * What follows the kind byte, perhaps as a view that the next encoding of any message overwrites: for whoever copies it at once,
 * since new memory for each command takes several hundred nanoseconds. Throws what `encodeCommand` throws.
 */
export function encodeSharedBody(command: Command): Uint8Array {
  switch (command.kind) {
    case "put":
      return encodeSharedPutRequest(command.request);
    case "deleteRange":
      return encodeSharedDeleteRangeRequest(command.request);
    case "txn": {
      const { request } = command;
      return request instanceof PutIfAbsent ? encodeSharedPutIfAbsent(request) : encodeSharedTxnRequest(request);
    }
    case "compact":
      return encodeSharedCompactionRequest({ revision: command.revision, physical: false });
    case "leaseGrant":
      return encodeSharedLeaseGrantRequest({ id: command.leaseId, ttl: command.ttlSeconds });
    case "leaseRevoke":
      return encodeSharedLeaseRevokeRequest({ id: command.leaseId });
    case "leaseExpire":
      return encodeLeaseExpire(command.leaseId, command.grantNumber);
    default:
      return encodeAuthBody(command);
  }
}

function decodeLeaseGrant(bytes: Uint8Array, start: number, end: number): Command {
  const { id, ttl } = decodeLeaseGrantRequest(bytes, start, end);
  return { kind: "leaseGrant", leaseId: id, ttlSeconds: ttl };
}

function encodeLeaseExpire(leaseId: bigint, grantNumber: number): Uint8Array {
  const bytes = new Uint8Array(leaseExpireBytes);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, leaseId, true);
  view.setBigUint64(8, BigInt(grantNumber), true);
  if (view.getBigInt64(0, true) !== leaseId) throw new RangeError(`not a signed 64-bit integer: ${leaseId}`);
  return bytes;
}

function decodeLeaseExpire(bytes: Uint8Array, start: number, end: number): Command {
  if (end - start !== leaseExpireBytes) throw new MalformedMessageError("lease expiry of a wrong length");
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, leaseExpireBytes);
  const grantNumber = Number(view.getBigUint64(8, true));
  if (!Number.isSafeInteger(grantNumber)) throw new MalformedMessageError("grant number out of range");
  return { kind: "leaseExpire", leaseId: view.getBigInt64(0, true), grantNumber };
}
