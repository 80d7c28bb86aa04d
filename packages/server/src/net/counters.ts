/** What the listeners count, for the metrics. */

export interface NetCounters {
  /** Connections the system handed to us. */
  accepted: number;
  /** Connections that could not be accepted, for want of file descriptors for example. */
  acceptErrors: number;
  /** F25: connections closed because their address had too many. */
  refusedPerAddress: number;
  /** F25: connections closed because too many were undecided. */
  refusedUndecided: number;
  /** F25: connections closed because too many spoke HTTP/1.1. */
  refusedHttp1: number;
  /** F26: connections closed because they did not say in time which protocol they speak. */
  firstBytesTimeouts: number;
  /** TLS handshakes that ended well. */
  handshakes: number;
  /** TLS handshakes that failed or were given up by the client. */
  handshakeFailures: number;
  /** F26: TLS handshakes not finished in time. */
  handshakeTimeouts: number;
  /** Connections closed for want of a client certificate that is trusted, not revoked and of an allowed name. */
  certificatesRefused: number;
  /** Times the certificate files were taken into use after the start. */
  certificateReloads: number;
  /** Times changed certificate files could not be used. */
  certificateReloadFailures: number;
}

export function newNetCounters(): NetCounters {
  return {
    accepted: 0,
    acceptErrors: 0,
    refusedPerAddress: 0,
    refusedUndecided: 0,
    refusedHttp1: 0,
    firstBytesTimeouts: 0,
    handshakes: 0,
    handshakeFailures: 0,
    handshakeTimeouts: 0,
    certificatesRefused: 0,
    certificateReloads: 0,
    certificateReloadFailures: 0,
  };
}
