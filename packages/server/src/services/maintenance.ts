/**
 * The Maintenance service. What is about one member of several is answered as a single etcd answers it; what is about the
 * file etcd keeps is done with what is kept here instead.
 */
import { LogFullError } from "@holdfast/log";
import {
  createStatusResponse,
  encodeDefragmentResponse,
  encodeMoveLeaderResponse,
  encodeSharedHashResponse,
  encodeSharedStatusResponse,
  etcdErrors,
  maintenanceService,
  StatusCode,
} from "@holdfast/protocol";
import type { Method, ServerCall } from "@holdfast/transport";
import { alarm, alarmText } from "./alarm.js";
import type { ServiceContext } from "./context.js";
import { Downgrade } from "./downgrade.js";
import { hashHistory, hashKv } from "./hash-kv.js";
import { serverStream, unary } from "./method.js";
import { Snapshots } from "./snapshot.js";
import { statusOf } from "./status.js";

const methods = maintenanceService.methods;

/**
 * The etcd version whose behaviour this server has. Clients parse it to decide which features they may
 * use (K8S-2), so it is etcd's number, not Holdfast's.
 */
export const etcdVersion = "3.7.1";
/** What etcd calls the version of its cluster and of its storage. */
export const etcdClusterVersion = "3.7.0";

/** What even an empty store is said to take: etcdctl divides by the size. */
const emptyStoreBytes = 512;

const noRoomToDefragment = "no space left on disk for a snapshot";
const cannotDefragment = "the snapshot could not be stored";

export function maintenanceMethods(context: ServiceContext): Method[] {
  const downgrade = new Downgrade();
  const snapshots = new Snapshots(context, etcdClusterVersion);
  return [
    unary(context, methods.defragment, (_request, call) => defragment(call, context)),
    unary(context, methods.status, (_request, call) => status(call, context, downgrade)),
    unary(context, methods.hash, (_request, call) => {
      const { machine } = context.replica;
      hashHistory(machine.revision, call, context, ({ hash }) =>
        call.reply(encodeSharedHashResponse({ header: context.headerNow(), hash })),
      );
    }),
    unary(context, methods.hashKv, (request, call) => hashKv(request.revision, call, context)),
    unary(context, methods.alarm, (request, call) => alarm(request, call, context)),
    unary(context, methods.moveLeader, ({ targetId }, call) => moveLeader(targetId, call, context)),
    unary(context, methods.downgrade, (request, call) => downgrade.handle(request, call, context)),
    serverStream(context, methods.snapshot, (_request, call) => snapshots.send(call)),
  ];
}

/**
 * What a defragmentation is for, space given back, is here done by snapshots, and the log behind them is discarded (MAINT-7).
 * Why it failed names files, which are no client's business (F50); the log of the server has it.
 */
function defragment(call: ServerCall, context: ServiceContext): void {
  context.replica.defragment().then(
    () => call.reply(encodeDefragmentResponse({ header: undefined })),
    (error: Error) => {
      const message = error instanceof LogFullError ? noRoomToDefragment : cannotDefragment;
      call.end({ code: StatusCode.unknown, message });
    },
  );
}

/** The only member leads, and can only be moved to itself (MAINT-10). */
function moveLeader(targetId: bigint, call: ServerCall, { identity }: ServiceContext): void {
  if (BigInt.asUintN(64, targetId) === identity.memberId) call.reply(encodeMoveLeaderResponse({ header: undefined }));
  else call.end(statusOf(etcdErrors.badLeaderTransferee));
}

/** One member is its own leader (MAINT-1, MAINT-2). */
function status(call: ServerCall, context: ServiceContext, downgrade: Downgrade): void {
  const { replica, identity, quota } = context;
  const bytes = Math.max(replica.machine.approximateBytes, emptyStoreBytes);
  call.reply(
    encodeSharedStatusResponse(
      createStatusResponse({
        header: context.headerNow(),
        version: etcdVersion,
        // What the quota is held against, all of it in use: space given up is free at once.
        dbSize: bytes,
        dbSizeInUse: bytes,
        leader: identity.memberId,
        raftIndex: replica.committedIndex,
        raftAppliedIndex: replica.appliedIndex,
        raftTerm: replica.epoch,
        errors: replica.machine.alarms().map(alarmText),
        storageVersion: etcdClusterVersion,
        dbSizeQuota: quota.bytes,
        downgradeInfo: downgrade.info,
      }),
    ),
  );
}
