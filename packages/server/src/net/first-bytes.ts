/**
 * Tells by the first bytes of a connection which protocol it speaks. What is done with it then is left to
 * the caller.
 */
import type { ClientSocket } from "./client-socket.js";

/** Enough of the HTTP/2 preface that nothing else begins with it (RFC 9113 3.4). */
const prefaceStart = Buffer.from("PRI * HTTP/2.0");

export interface FirstBytesListener {
  /** `alreadyRead` are the bytes it was decided by, and whatever came with them. No listener of ours is left on the socket. */
  decided(isHttp2: boolean, alreadyRead: Buffer): void;
  /** The time was up; the socket has been destroyed. */
  timedOut(): void;
}

/**
 * Reads until the protocol is known. A peer that is gone, has ended its side, or takes longer than `deadlineMs` in all
 * is destroyed instead.
 */
export function readFirstBytes(socket: ClientSocket, deadlineMs: number, listener: FirstBytesListener): void {
  let seen: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, prefaceStart.length);
    const isHttp2 = seen.compare(prefaceStart, 0, length, 0, length) === 0;
    if (isHttp2 && length < prefaceStart.length) return;
    release();
    listener.decided(isHttp2, seen);
  };
  const onGone = (): void => {
    release();
    socket.destroy();
  };
  const onTimeout = (): void => {
    onGone();
    listener.timedOut();
  };
  const release = (): void => {
    clearTimeout(timer);
    socket.off("data", onData).off("end", onGone).off("error", onGone).off("close", onGone);
  };
  // Not the socket's own timeout: that one starts afresh with every byte (fault-model F26).
  const timer = setTimeout(onTimeout, deadlineMs);
  socket.on("data", onData).on("end", onGone).on("error", onGone).on("close", onGone);
}
