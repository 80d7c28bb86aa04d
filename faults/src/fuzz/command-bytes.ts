/** Commands as they stand in the log, to be fuzzed with: right ones and damaged ones, on few keys so that they meet. */
import {
  alarmRequestCodec,
  authRoleAddRequestCodec,
  authRoleDeleteRequestCodec,
  authRoleGrantPermissionRequestCodec,
  authRoleRevokePermissionRequestCodec,
  authUserAddRequestCodec,
  authUserChangePasswordRequestCodec,
  authUserDeleteRequestCodec,
  authUserGrantRoleRequestCodec,
  authUserRevokeRoleRequestCodec,
  compactionRequestCodec,
  deleteRangeRequestCodec,
  leaseGrantRequestCodec,
  leaseRevokeRequestCodec,
  type MessageCodec,
  putRequestCodec,
  txnRequestCodec,
} from "@holdfast/protocol";
import { commandKinds } from "@holdfast/state-machine";
import { mutate } from "./mutate.js";
import type { Random } from "./random.js";
import { damagedMessage, validMessage } from "./wire-message.js";

type Kind = keyof typeof commandKinds;

/** What stands behind the byte of the kind. Without a type: an expiry, or nothing at all. */
const bodies: Readonly<Record<Kind, MessageCodec<unknown> | undefined>> = {
  put: putRequestCodec,
  deleteRange: deleteRangeRequestCodec,
  txn: txnRequestCodec,
  compact: compactionRequestCodec,
  leaseGrant: leaseGrantRequestCodec,
  leaseRevoke: leaseRevokeRequestCodec,
  leaseExpire: undefined,
  authEnable: undefined,
  authDisable: undefined,
  userAdd: authUserAddRequestCodec,
  userDelete: authUserDeleteRequestCodec,
  userChangePassword: authUserChangePasswordRequestCodec,
  userGrantRole: authUserGrantRoleRequestCodec,
  userRevokeRole: authUserRevokeRoleRequestCodec,
  roleAdd: authRoleAddRequestCodec,
  roleDelete: authRoleDeleteRequestCodec,
  roleGrantPermission: authRoleGrantPermissionRequestCodec,
  roleRevokePermission: authRoleRevokePermissionRequestCodec,
  alarm: alarmRequestCodec,
};

const kinds = Object.keys(bodies) as Kind[];
/** What makes states worth damaging; the others come up often enough by themselves. */
const usualKinds: readonly Kind[] = [
  "put",
  "put",
  "put",
  "deleteRange",
  "txn",
  "txn",
  "compact",
  "leaseGrant",
  "leaseRevoke",
];
const callers = ["root", "a", "", "nobody"] as const;

/** One command, with or without a caller in front of it. */
export function commandBytes(random: Random, isDamaged: boolean): Buffer {
  const kind = random.chance(3) ? random.pick(kinds) : random.pick(usualKinds);
  const command = Buffer.concat([callerOf(random), Buffer.from([commandKinds[kind]]), bodyOf(kind, random, isDamaged)]);
  return isDamaged && random.chance(4) ? mutate(command, random) : command;
}

function bodyOf(kind: Kind, random: Random, isDamaged: boolean): Buffer {
  const codec = bodies[kind];
  if (codec !== undefined) return isDamaged ? damagedMessage(codec, random) : validMessage(codec, random);
  if (kind !== "leaseExpire") return Buffer.alloc(0);
  const body = Buffer.alloc(16);
  body.writeBigInt64LE(BigInt(random.below(200)), 0);
  body.writeUInt32LE(random.below(40), 8);
  return body;
}

/** The layout of package state-machine's `auth/caller-codec.ts`. */
function callerOf(random: Random): Buffer {
  if (random.chance(2)) return Buffer.alloc(0);
  if (random.chance(2)) return Buffer.from([9]);
  const name = Buffer.from(random.pick(callers), "utf16le");
  const head = Buffer.alloc(13);
  head[0] = 8;
  head.writeDoubleLE(random.below(12), 1);
  head.writeUInt32LE(name.length, 9);
  return Buffer.concat([head, name]);
}
