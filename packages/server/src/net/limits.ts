/** Every bound of the listeners, with its default. What binds connections once they speak HTTP/2 is the transport's. */

export interface NetLimits {
  /** F26: time for a TLS handshake, all of it. */
  readonly handshakeDeadlineMs: number;
  /** F26: time for a new connection to say which protocol it speaks; under TLS from the end of the handshake on. */
  readonly firstBytesDeadlineMs: number;
  /**
   * F25: connections of one address that have not said which protocol they speak, TLS handshakes included; more are
   * closed at once. Far above what clients need, far below what would cost notable memory.
   */
  readonly undecidedConnectionsMax: number;
  /** F25: connections of one address that speak HTTP/1.1, WebSockets included; more are closed at once. */
  readonly http1ConnectionsMax: number;
  /** How often certificate files are looked at. */
  readonly certificateCheckIntervalMs: number;
  /** Whatever peers do, no more than one log line of a kind is written in this time. */
  readonly repeatedLogIntervalMs: number;
}

export const defaultNetLimits: NetLimits = {
  handshakeDeadlineMs: 10_000,
  firstBytesDeadlineMs: 10_000,
  undecidedConnectionsMax: 1_000,
  http1ConnectionsMax: 1_000,
  certificateCheckIntervalMs: 5_000,
  repeatedLogIntervalMs: 10_000,
};
