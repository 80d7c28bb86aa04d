/** Every bound of the listeners, with its default. What binds connections once they speak HTTP/2 is the transport's. */

export interface NetLimits {
  /** F26: time for a TLS handshake, all of it. */
  readonly handshakeDeadlineMs: number;
  /** F26: time for a new connection to say which protocol it speaks; under TLS from the end of the handshake on. */
  readonly firstBytesDeadlineMs: number;
  /** F25: connections of one peer address (of IPv6, one /64), at all listeners and whatever they speak; more are closed at once. */
  readonly connectionsPerAddressMax: number;
  /**
   * F25: the same for 127.0.0.1 and ::1, where it is more: there a proxy speaks for many clients. The transport's
   * `connectionsTotalMax` and `http1ConnectionsMax` bind it as well.
   */
  readonly connectionsFromLoopbackMax: number;
  /**
   * F25: connections at one listener that have not said which protocol they speak, TLS handshakes included. One more, and
   * the oldest of the peer address that has most of them is closed. Far above what clients need, far below what would
   * cost notable memory.
   */
  readonly undecidedConnectionsMax: number;
  /**
   * F25: connections at one listener that speak HTTP/1.1, WebSockets included; more are closed at once. Several times
   * what one peer address may have, so that one alone cannot keep the others from it.
   */
  readonly http1ConnectionsMax: number;
  /**
   * Connections open at one listener from which on new ones are owned by threads, if the listener may have any; those open
   * by then stay on the main thread, whose answers are quicker when little is to be done.
   */
  readonly socketThreadsFrom: number;
  /**
   * Threads that one listener may start, where they are of use; each takes about 20 MB. They make very many connections cheaper and
   * every single call slower (decision 0014), so 0, none, is the default.
   */
  readonly socketThreadsMax: number;
  /** How often certificate files are looked at. */
  readonly certificateCheckIntervalMs: number;
  /** Whatever peers do, no more than one log line of a kind is written in this time. */
  readonly repeatedLogIntervalMs: number;
}

export const defaultNetLimits: NetLimits = {
  handshakeDeadlineMs: 10_000,
  firstBytesDeadlineMs: 10_000,
  connectionsPerAddressMax: 1_000,
  connectionsFromLoopbackMax: 10_000,
  undecidedConnectionsMax: 1_000,
  http1ConnectionsMax: 5_000,
  socketThreadsFrom: 200,
  socketThreadsMax: 0,
  certificateCheckIntervalMs: 5_000,
  repeatedLogIntervalMs: 10_000,
};
