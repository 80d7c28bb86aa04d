/** The connection of a client, as far as the listeners and who they hand it to need to know it. */
import type { Duplex } from "node:stream";

/** A `net.Socket`, a `tls.TLSSocket`, or the connection of a socket thread. */
export type ClientSocket = Duplex & {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly bytesRead: number;
  /** With what still waits to be written. */
  readonly bytesWritten: number;
  /** Ends the stream, and destroys it when all has been written. */
  destroySoon(): void;
  setKeepAlive(enable?: boolean, initialDelayMs?: number): unknown;
  setNoDelay(noDelay?: boolean): unknown;
};
