/**
 * What the transport counts for the metrics: a plain object of names and numbers that only grow. Each limit of
 * `limits.ts` has a name here, so that an operator sees which one was reached.
 */

/** Monotonic counters of one server or client. */
export interface TransportCounters {
  connectionsAccepted: number;
  /** F25: refused because `connectionsTotalMax` was reached. */
  connectionsRefusedTotal: number;
  /** F25: refused because `connectionsPerAddressMax` was reached. */
  connectionsRefusedPerAddress: number;
  /** Refused because the server is draining or closed. */
  connectionsRefusedClosing: number;
  streamsOpened: number;
  /** F38: `streamsPerConnectionMax`. */
  streamsRefusedPerConnection: number;
  /** F38: `streamsTotalMax`. */
  streamsRefusedTotal: number;
  resetsReceived: number;
  resetsSent: number;
  /** F28, F29: connections closed because of `resetBurst` and `resetsPerSecond`. */
  resetFloods: number;
  /** F30: `continuationFramesMax` or `headerBlockBytesMax`. */
  continuationFloods: number;
  /** F31: `headerListBytesMax`. */
  headerListsTooLarge: number;
  /** F32: `headerFieldsMax`. */
  headerListsTooLong: number;
  /** F33: `settingsFramesPerMinute` or `settingsEntriesMax`. */
  settingsFloods: number;
  /** F34: `pingStrikesMax`. */
  pingFloods: number;
  /** F35: `emptyFramesPerStreamMax`. */
  emptyFrameFloods: number;
  /** F36: `overheadBytesPerMinute`. */
  overheadFloods: number;
  /** I12: times that a connection had to let others have their turn (`turnMs`). */
  turnsEnded: number;
  /**
   * F37, I12: requests that were begun later because too much waited for their peer (`unsentBytesPerConnectionMax`), or
   * because others had to have their turn (`turnMs`).
   */
  requestsPostponed: number;
  /**
   * F37: streams reset because of `unsentBytesPerCallMax`, and connections closed because not even what flow control
   * does not bind was taken (`unsentBytesPerConnectionMax`).
   */
  unsentBytesExceeded: number;
  /** F37: connections closed because of `unsentBytesTotalMax`. */
  backlogsEnded: number;
  /** F32, F37: streams reset and connections closed because of `stalledAnswerMs`. */
  stalledAnswers: number;
  /** F26: `prefaceMs`. */
  prefaceTimeouts: number;
  /** F26: `headerBlockMs`. */
  headerBlockTimeouts: number;
  /** F26: `unaryBodyMs`. */
  bodyTimeouts: number;
  /** F19: `keepaliveTimeoutMs`. */
  keepaliveTimeouts: number;
  /** F40: sockets destroyed because they outlived `errorLingerMs` or `gracefulLingerMs`. */
  lingerTimeouts: number;
  /** F16: `bufferedBytesPerConnectionMax` or `bufferedBytesTotalMax`. */
  bufferedBytesExceeded: number;
  /** F44: `messageBytesMax`, declared or inflated. */
  messagesTooLarge: number;
  /** F44: compressed messages that could not be inflated. */
  brokenCompression: number;
  /** F42: requests whose header list is malformed. */
  malformedRequests: number;
  /** Connections ended with a GOAWAY that reports an error, whatever the reason. */
  connectionErrors: number;
  deadlinesExceeded: number;
  /** Calls that the client cancelled or lost before the server ended them. */
  callsCancelled: number;
}

/** All counters at zero. */
export function newCounters(): TransportCounters {
  return {
    connectionsAccepted: 0,
    connectionsRefusedTotal: 0,
    connectionsRefusedPerAddress: 0,
    connectionsRefusedClosing: 0,
    streamsOpened: 0,
    streamsRefusedPerConnection: 0,
    streamsRefusedTotal: 0,
    resetsReceived: 0,
    resetsSent: 0,
    resetFloods: 0,
    continuationFloods: 0,
    headerListsTooLarge: 0,
    headerListsTooLong: 0,
    settingsFloods: 0,
    pingFloods: 0,
    emptyFrameFloods: 0,
    overheadFloods: 0,
    turnsEnded: 0,
    requestsPostponed: 0,
    unsentBytesExceeded: 0,
    backlogsEnded: 0,
    stalledAnswers: 0,
    prefaceTimeouts: 0,
    headerBlockTimeouts: 0,
    bodyTimeouts: 0,
    keepaliveTimeouts: 0,
    lingerTimeouts: 0,
    bufferedBytesExceeded: 0,
    messagesTooLarge: 0,
    brokenCompression: 0,
    malformedRequests: 0,
    connectionErrors: 0,
    deadlinesExceeded: 0,
    callsCancelled: 0,
  };
}
