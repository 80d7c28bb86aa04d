/** The methods that attackers call, and requests for them. */
import {
  authService,
  byteStringFromText,
  clusterService,
  createRangeRequest,
  encodeRangeRequest,
  kvService,
  leaseService,
  watchService,
} from "@holdfast/protocol";

export const RANGE = kvService.methods.range.path;
export const AUTHENTICATE = authService.methods.authenticate.path;
export const MEMBER_ADD = clusterService.methods.memberAdd.path;
export const PUT = kvService.methods.put.path;
export const TXN = kvService.methods.txn.path;
/** A call that may stay open for ever. */
export const WATCH = watchService.methods.watch.path;
export const KEEP_ALIVE = leaseService.methods.leaseKeepAlive.path;

/** A request for one key that is not there. */
export const rangeOfNothing = encodeRangeRequest(createRangeRequest({ key: byteStringFromText("nothing") }));

/** A request for everything there is. */
export const rangeOfAll = encodeRangeRequest(
  createRangeRequest({ key: byteStringFromText("\0"), rangeEnd: byteStringFromText("\0") }),
);
