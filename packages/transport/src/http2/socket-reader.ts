/**
 * Hands on what arrives on a socket, past the buffering of Node's streams as long as nobody holds it back.
 *
 * A chunk that goes through a stream in flowing mode schedules a task, which asks whether more should be read, and touches a
 * dozen objects on its way. Of Range on 1,000 connections, one in flight on each, that and a callback for each write were 2.8 of
 * 20 µs. A `net.Socket` gives each chunk to its own `push`; answered here, it goes no further. Only documented methods are
 * used, and a socket that read by other means would still have its chunks arrive as events.
 */
import { Socket } from "node:net";
import type { TransportSocket } from "./socket-writer.js";

/** Has `take` called with every chunk, in order, from now on and while the socket is not paused. */
export function readSocket(socket: TransportSocket, take: (chunk: Buffer) => void): void {
  socket.on("data", take);
  // Other streams may count on their own `push` to ask them for more.
  if (socket instanceof Socket || socket.behavesAsSocket === true) shorten(socket, take);
}

function shorten(socket: TransportSocket, take: (chunk: Buffer) => void): void {
  const { push, pause } = socket;
  let isDirect = false;
  // Kept apart, so that what runs for every chunk stays small. What was kept during a pause comes first; the end comes this
  // way as well.
  const pushSlowly = (chunk: Buffer | null, encoding?: BufferEncoding): boolean => {
    isDirect = chunk !== null && socket.readableFlowing === true && socket.readableLength === 0;
    if (!isDirect) return push.call(socket, chunk, encoding);
    take(chunk!);
    return true;
  };
  socket.push = (chunk: Buffer | null, encoding?: BufferEncoding): boolean => {
    if (!isDirect || chunk === null) return pushSlowly(chunk, encoding);
    take(chunk);
    return true;
  };
  socket.pause = () => {
    isDirect = false;
    return pause.call(socket);
  };
}
