/**
 * Maintenance.Downgrade: a job that etcd does over several members and restarts. Here it is only remembered, until the
 * next start: the data has one format whatever version the clients are told (MAINT-11, MAINT-12).
 */
import {
  DowngradeAction,
  type DowngradeInfo,
  type DowngradeRequest,
  type EtcdError,
  encodeSharedDowngradeResponse,
  etcdErrors,
  etcdTexts,
} from "@holdfast/protocol";
import type { ServerCall } from "@holdfast/transport";
import type { ServiceContext } from "./context.js";
import { statusOf } from "./status.js";

/** The cluster version that answers name, and the only one that may be gone back to. */
const clusterVersion = "3.7";
const previousVersion = "3.6";

export class Downgrade {
  #info: DowngradeInfo = { enabled: false, targetVersion: "" };

  /** The job under way, as Status tells it. */
  get info(): DowngradeInfo {
    return this.#info;
  }

  handle(request: DowngradeRequest, call: ServerCall, context: ServiceContext): void {
    const refusal = this.#refusal(request);
    if (refusal !== undefined) {
      call.end(statusOf(refusal));
      return;
    }
    if (request.action === DowngradeAction.ENABLE)
      this.#info = { enabled: true, targetVersion: `${previousVersion}.0` };
    if (request.action === DowngradeAction.CANCEL) this.#info = { enabled: false, targetVersion: "" };
    call.reply(encodeSharedDowngradeResponse({ header: context.headerNow(), version: clusterVersion }));
  }

  #refusal({ action, version }: DowngradeRequest): EtcdError | undefined {
    if (action === DowngradeAction.CANCEL) return undefined;
    if (action !== DowngradeAction.VALIDATE && action !== DowngradeAction.ENABLE)
      return etcdTexts.unknownDowngradeAction;
    const minor = minorVersionOf(version);
    if (minor === undefined) return etcdErrors.wrongDowngradeVersionFormat;
    if (minor !== previousVersion) return etcdErrors.invalidDowngradeTargetVersion;
    return this.#info.enabled ? etcdErrors.downgradeInProcess : undefined;
  }
}

const identifiers = /(?:[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?/.source;
/** A patch part is only needed for what a semantic version has behind it, and that may be empty. */
const versionShape = new RegExp(`^(\\d+)\\.(\\d+)(?:\\.\\d+(?:-${identifiers})?(?:\\+${identifiers})?)?$`);

/** `major.minor`; undefined if it is no version. */
function minorVersionOf(version: string): string | undefined {
  const match = versionShape.exec(version);
  return match === null ? undefined : `${Number(match[1])}.${Number(match[2])}`;
}
