/** The part of the Maintenance service that etcdctl's `endpoint` commands and `defrag` ask for. */
import {
  AlarmAction,
  AlarmType,
  createStatusResponse,
  encodeDefragmentResponse,
  encodeSharedAlarmResponse,
  encodeSharedStatusResponse,
  maintenanceService,
  StatusCode,
} from "@holdfast/protocol";
import type { Method, ServerCall } from "@holdfast/transport";
import type { ServiceContext } from "./context.js";
import { hashKv } from "./hash-kv.js";
import { unary } from "./method.js";

const methods = maintenanceService.methods;

/**
 * The etcd version whose behaviour this server has. Clients parse it to decide which features they may
 * use (K8S-2), so it is etcd's number, not Holdfast's.
 */
export const etcdVersion = "3.7.1";
const storageVersion = "3.7.0";
const quotaBytes = 2_147_483_648;

export function maintenanceMethods(context: ServiceContext): Method[] {
  return [
    // What a defragmentation is for, space given back, is here a snapshot and the log behind it discarded (MAINT-7).
    unary(methods.defragment, (_request, call) => {
      context.replica.snapshot().then(
        () => call.reply(encodeDefragmentResponse({ header: undefined })),
        (error: Error) => call.end({ code: StatusCode.unknown, message: error.message }),
      );
    }),
    unary(methods.status, (_request, call) => status(call, context)),
    unary(methods.hashKv, (request, call) => hashKv(request.revision, call, context)),
    unary(methods.alarm, (request, call) => {
      // No alarm can be raised here, so none is ever listed or cleared.
      if (request.action === AlarmAction.ACTIVATE && request.alarm !== AlarmType.NONE)
        call.end({ code: StatusCode.unimplemented, message: "alarms cannot be raised" });
      else call.reply(encodeSharedAlarmResponse({ header: context.headerNow(), alarms: [] }));
    }),
  ];
}

/** One member is its own leader (MAINT-1). */
function status(call: ServerCall, context: ServiceContext): void {
  const { replica, identity } = context;
  const { approximateBytes } = replica.machine;
  call.reply(
    encodeSharedStatusResponse(
      createStatusResponse({
        header: context.headerNow(),
        version: etcdVersion,
        dbSize: Math.max(replica.bytesOnDisk, approximateBytes),
        dbSizeInUse: approximateBytes,
        leader: identity.memberId,
        raftIndex: replica.committedIndex,
        raftAppliedIndex: replica.appliedIndex,
        raftTerm: replica.epoch,
        storageVersion,
        dbSizeQuota: quotaBytes,
        downgradeInfo: { enabled: false, targetVersion: "" },
      }),
    ),
  );
}
