/**
 * Every limit of the transport, in one place, with its default and the fault it answers
 * (`docs/reference/fault-model.md`, section 5 and 6). Reaching a limit is counted in `TransportCounters`.
 */

/**
 * Sizes are bytes and times are milliseconds unless the name says otherwise.
 *
 * What one connection can make us hold, at worst:
 * - of what it sends: `bufferedBytesPerConnectionMax` for requests that are unfinished or postponed;
 * - of what waits for it: `unsentBytesPerConnectionMax`, and on top of that what its open calls, at most
 *   `streamsPerConnectionMax`, still add once half of it is reached. A unary or server-streaming request is not begun
 *   any more; one begun before adds its one answer, or as a stream what follows. A streaming call that heeds
 *   `congested` adds at most one message, any other `unsentBytesPerCallMax` and one message. With handlers that answer
 *   in the turn in which they are called, and heed it, only one answer comes on top;
 * - each answer for `stalledAnswerMs` at most, unless the peer takes `stalledBytesPerSecondMin`.
 *
 * All of them together hold `bufferedBytesTotalMax` of what is sent, and of what waits `unsentBytesTotalMax` besides the
 * largest answer.
 */
export interface TransportLimits {
  /** F31: sum of name + value + 32 over the fields of one header list (RFC 9113, 6.5.2); above it the stream is reset. */
  readonly headerListBytesMax: number;
  /** F32: fields of one header list, each cookie piece counted; above it the stream is reset. */
  readonly headerFieldsMax: number;
  /** F30: compressed bytes of one header block over all its frames; above it the connection is closed. */
  readonly headerBlockBytesMax: number;
  /** F30: CONTINUATION frames of one header block; above it the connection is closed. */
  readonly continuationFramesMax: number;
  /** F28, F29: resets (sent and received together) that may come at once. */
  readonly resetBurst: number;
  /** F28, F29: resets per second that are allowed for ever. */
  readonly resetsPerSecond: number;
  /** F28: a stream that lived this long may be reset for free: it cannot be part of a rapid cycle. */
  readonly resetFreeAgeMs: number;
  /** F33: SETTINGS frames (without acknowledgements) in one minute. A gRPC client that measures its window sends about nine. */
  readonly settingsFramesPerMinute: number;
  /** F33: entries of one SETTINGS frame. */
  readonly settingsEntriesMax: number;
  /** F34: shortest time between two pings while a stream is open. */
  readonly pingFloorMs: number;
  /** F34: shortest time between two pings while no stream is open. */
  readonly pingFloorWithoutStreamsMs: number;
  /** F34: pings below the floor that are forgiven until we next send headers or data. */
  readonly pingStrikesMax: number;
  /** F34: pings that DATA frames already sent can pay for, one each; a client measures its bandwidth with them. */
  readonly pingsPaidByDataMax: number;
  /** F35: frames without content of one stream. */
  readonly emptyFramesPerStreamMax: number;
  /** F36: bytes of frames that carry no message, in one minute, beyond what honest traffic of the same time explains. */
  readonly overheadBytesPerMinute: number;
  /**
   * F37: bytes of one connection that may wait for the peer before it is made to wait itself. From half of it on,
   * complete requests are kept and not begun, and streaming calls that cannot write at once are congested. An answer
   * is never refused for its size or for what else waits (LIM-3). Above the whole of it in what flow control does not
   * bind (headers, trailers, control frames) the connection is closed.
   */
  readonly unsentBytesPerConnectionMax: number;
  /**
   * F37: bytes of one streaming call that may wait for the peer; a call that ignores `congested` and sends one more
   * message above it is reset. The first message of a call is always taken.
   */
  readonly unsentBytesPerCallMax: number;
  /**
   * F37: bytes of all connections that may wait for their peers, the largest answer excepted: one may have any size
   * (LIM-3). From half of it on, a connection is congested above `callHighWaterBytes` already; above it those are
   * closed that would take longest to empty at their pace.
   */
  readonly unsentBytesTotalMax: number;
  /** F37: bytes that may stand ready for a busy socket before data waits in its stream. */
  readonly socketBacklogBytesMax: number;
  /** F20: a call with more unsent bytes than this is congested. */
  readonly callHighWaterBytes: number;
  /** F20: a congested call is told to go on when its unsent bytes fall to this. */
  readonly callLowWaterBytes: number;
  /** F38: streams of one connection, advertised to the peer; above it streams are refused. */
  readonly streamsPerConnectionMax: number;
  /** F38: streams of all connections; above it streams are refused. */
  readonly streamsTotalMax: number;
  /** F25: connections of all peers; above it new ones are closed. */
  readonly connectionsTotalMax: number;
  /** F25: connections of one peer address; above it new ones are closed. */
  readonly connectionsPerAddressMax: number;
  /** F26: time for the connection preface and the first SETTINGS frame. */
  readonly prefaceMs: number;
  /** F26: time for a header block once begun. */
  readonly headerBlockMs: number;
  /** F26: time for the whole body of a unary or server-streaming request, or of a plain one. */
  readonly unaryBodyMs: number;
  /** F32, F37: time in which waiting bytes must move at `stalledBytesPerSecondMin`; else the stream is reset. */
  readonly stalledAnswerMs: number;
  /** F37: slowest pace of a peer that accepts an answer. */
  readonly stalledBytesPerSecondMin: number;
  /** F40: longest life of a socket after a GOAWAY that reports an error. */
  readonly errorLingerMs: number;
  /** F40: longest life of a socket after the last GOAWAY of an orderly end. */
  readonly gracefulLingerMs: number;
  /** How long an orderly end waits for the ping that follows its first GOAWAY. */
  readonly drainPingMs: number;
  /** F19: silence after which a connection with open streams is pinged. */
  readonly keepaliveIdleMs: number;
  /** F19: time for the answer to that ping. */
  readonly keepaliveTimeoutMs: number;
  /** F44: bytes of one request message, also after inflating. */
  readonly messageBytesMax: number;
  /** F44: bytes of the body of a request that is not gRPC; more than a message, which grows by a third in base64. */
  readonly plainBodyBytesMax: number;
  /** Flow-control window that each stream gives the peer. */
  readonly streamReceiveWindowBytes: number;
  /** Flow-control window that the connection gives the peer. */
  readonly connectionReceiveWindowBytes: number;
  /**
   * F16: bytes of unfinished and postponed request messages of one connection; above it the call that brought them is
   * refused. While requests are postponed, half of it closes the connection's receive window first.
   */
  readonly bufferedBytesPerConnectionMax: number;
  /** F16: the same over all connections. */
  readonly bufferedBytesTotalMax: number;
  /**
   * I12: time for which one connection is read and its requests are begun before others get their turn. What it began is
   * brought to its end; requests that are complete by then wait, and no more is read, until the others had theirs.
   */
  readonly turnMs: number;
  /** How often connections are looked at for the times above. They are kept to this accuracy. */
  readonly sweepIntervalMs: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** The defaults, from the fault model's section 6. */
export const defaultLimits: TransportLimits = {
  headerListBytesMax: 16 * KIB,
  headerFieldsMax: 64,
  headerBlockBytesMax: 16 * KIB,
  continuationFramesMax: 8,
  resetBurst: 200,
  resetsPerSecond: 50,
  resetFreeAgeMs: 1_000,
  settingsFramesPerMinute: 20,
  settingsEntriesMax: 32,
  pingFloorMs: 5_000,
  pingFloorWithoutStreamsMs: 2 * 60 * 60 * 1_000,
  pingStrikesMax: 2,
  pingsPaidByDataMax: 256,
  emptyFramesPerStreamMax: 100,
  overheadBytesPerMinute: MIB,
  unsentBytesPerConnectionMax: 8 * MIB,
  unsentBytesPerCallMax: 8 * MIB,
  unsentBytesTotalMax: 256 * MIB,
  socketBacklogBytesMax: 256 * KIB,
  callHighWaterBytes: 256 * KIB,
  callLowWaterBytes: 64 * KIB,
  streamsPerConnectionMax: 1_000,
  streamsTotalMax: 100_000,
  connectionsTotalMax: 10_000,
  connectionsPerAddressMax: 1_000,
  prefaceMs: 10_000,
  headerBlockMs: 5_000,
  unaryBodyMs: 10_000,
  stalledAnswerMs: 60_000,
  stalledBytesPerSecondMin: KIB,
  errorLingerMs: 1_000,
  gracefulLingerMs: 30_000,
  drainPingMs: 5_000,
  keepaliveIdleMs: 30_000,
  keepaliveTimeoutMs: 20_000,
  messageBytesMax: 2 * MIB,
  plainBodyBytesMax: 4 * MIB,
  streamReceiveWindowBytes: 256 * KIB,
  connectionReceiveWindowBytes: MIB,
  bufferedBytesPerConnectionMax: 32 * MIB,
  bufferedBytesTotalMax: 512 * MIB,
  turnMs: 5,
  sweepIntervalMs: 250,
};
