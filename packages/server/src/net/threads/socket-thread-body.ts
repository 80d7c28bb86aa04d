/** The body of a socket thread: accepts connections and owns them; see `socket-thread.ts`. */
import { createServer, type Server, type Socket } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import { Inflow } from "./inflow.js";
import { copyListening } from "./listening-copy.js";
import { NearSocket } from "./near-socket.js";
import { ACCEPT_FAILED, BYTES, CLOSED, CREDIT, ENDED, LISTENING, RecordWriter, readRecords, STOP } from "./records.js";
import type { SocketThreadData } from "./socket-thread.js";

const port = parentPort;
if (port === null) throw new Error("socket-thread-body runs only as a worker thread");

const { descriptor, backlog, keepAliveMs } = workerData as SocketThreadData;
const inflow = new Inflow();
const out = new RecordWriter(
  (message) => {
    inflow.sent(message.byteLength);
    port.postMessage(message, [message]);
  },
  // When every socket that had something has been read.
  (flush) => setImmediate(flush),
);
const sockets = new Map<number, NearSocket>();
let lastConnection = 0;

const server: Server = createServer({ allowHalfOpen: true }, admit);
server.on("error", (error) => out.add(ACCEPT_FAILED, 0, Buffer.from(error.message)));

function admit(socket: Socket): void {
  const connection = nextConnection();
  socket.allowHalfOpen = true;
  socket.setNoDelay(true);
  socket.setKeepAlive(true, keepAliveMs);
  sockets.set(connection, new NearSocket(connection, socket, out, inflow, () => sockets.delete(connection)));
}

/** Numbers of 32 bits, 0 excepted, begin anew when they are used up. */
function nextConnection(): number {
  do lastConnection = (lastConnection + 1) >>> 0;
  while (lastConnection === 0 || sockets.has(lastConnection));
  return lastConnection;
}

function record(kind: number, connection: number, bytes: Buffer): void {
  if (kind === STOP) {
    server.close();
    return;
  }
  if (kind === CREDIT && connection === 0) {
    inflow.read(bytes.readUInt32LE());
    return;
  }
  // It may have gone while the record was under way.
  const socket = sockets.get(connection);
  if (kind === BYTES) socket?.write(bytes);
  else if (kind === CREDIT) socket?.credited(bytes.readUInt32LE());
  else if (kind === ENDED) socket?.end();
  else if (kind === CLOSED) socket?.destroy();
}

port.on("message", (message: ArrayBuffer) => readRecords(message, { record }));
await copyListening(descriptor, {
  listening: (copy) => server.listen(copy, backlog),
  accepted: admit,
});
out.add(LISTENING, 0);
