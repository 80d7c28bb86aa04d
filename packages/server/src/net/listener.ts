/**
 * The port: accepts connections and decides by their first bytes who speaks. The HTTP/2 preface goes to
 * the gRPC transport; anything else is HTTP/1.1.
 */
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { formatAddress, type ListenAddress } from "./address.js";

/** Thrown when an address cannot be listened on. */
export class ListenError extends Error {
  /** The system's code, such as EADDRINUSE. */
  readonly code: string;

  constructor(address: string, cause: NodeJS.ErrnoException) {
    const inUse = cause.code === "EADDRINUSE";
    super(inUse ? `address ${address} is already in use` : `cannot listen on ${address}: ${cause.message}`, { cause });
    this.name = "ListenError";
    this.code = cause.code ?? "";
  }
}

export interface ListenerOptions {
  readonly address: ListenAddress;
  /** Takes over a connection that opened with the HTTP/2 preface; `alreadyRead` are its first bytes. */
  readonly onHttp2: (socket: Socket, alreadyRead: Buffer) => void;
  /** A connection that has sent nothing after this long is closed (fault-model F26). */
  readonly firstBytesDeadlineMs: number;
}

export interface Listener {
  /** Where it really listens: port 0 has become a number. */
  readonly address: ListenAddress;
  /**
   * Stops accepting, and closes what does not speak HTTP/2. Connections already handed over live on; resolves when
   * the last of them is gone, so they have to be ended meanwhile.
   */
  close(): Promise<void>;
}

const prefaceStart = Buffer.from("PRI * HTTP/2.0");

/** Starts listening. Throws `ListenError`. */
export function listen(options: ListenerOptions): Promise<Listener> {
  const http = plainHttpServer();
  const undecided = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    undecided.add(socket);
    decide(socket, options, http, () => undecided.delete(socket));
  });
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(new ListenError(formatAddress(options.address), cause)));
    const done = (): void =>
      resolve({ address: boundAddress(server, options.address), close: () => close(server, http, undecided) });
    const { address } = options;
    if (address.kind === "unix") server.listen(address.path, done);
    else server.listen(address.port, address.host, done);
  });
}

/** Reads until the first bytes tell the protocol, then hands the connection over. */
function decide(socket: Socket, options: ListenerOptions, http: HttpServer, decided: () => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, prefaceStart.length);
    const isHttp2 = seen.compare(prefaceStart, 0, length, 0, length) === 0;
    if (isHttp2 && length < prefaceStart.length) return;
    release();
    if (isHttp2) options.onHttp2(socket, seen);
    else handToHttp1(socket, seen, http);
  };
  const onGone = (): void => {
    release();
    socket.destroy();
  };
  const release = (): void => {
    socket.setTimeout(0);
    socket.off("data", onData).off("end", onGone).off("timeout", onGone).off("error", onGone).off("close", onGone);
    decided();
  };
  socket.setTimeout(options.firstBytesDeadlineMs);
  socket.on("data", onData).on("end", onGone).on("timeout", onGone).on("error", onGone).on("close", onGone);
}

function handToHttp1(socket: Socket, seen: Buffer, http: HttpServer): void {
  socket.on("error", () => socket.destroy());
  socket.pause();
  http.emit("connection", socket);
  socket.unshift(seen);
  socket.resume();
}

/** HTTP/1.1 has no pages yet; it is told so, in words. */
function plainHttpServer(): HttpServer {
  const server = createHttpServer((_request, response) => {
    response.writeHead(404, { "content-type": "text/plain; charset=utf-8" });
    response.end(
      "404 page not found\nThis port speaks the etcd v3 API over gRPC (HTTP/2); try: etcdctl endpoint status\n",
    );
  });
  // What is neither HTTP/2 nor HTTP/1.1 gets no answer that it could mistake for one (RFC 9113 3.4).
  server.on("clientError", (_error, socket) => socket.destroy());
  return server;
}

function boundAddress(server: Server, asked: ListenAddress): ListenAddress {
  const bound = server.address();
  if (asked.kind === "unix" || bound === null || typeof bound === "string") return asked;
  return { kind: "tcp", host: asked.host, port: bound.port };
}

function close(server: Server, http: HttpServer, undecided: Set<Socket>): Promise<void> {
  for (const socket of undecided) socket.destroy();
  http.closeAllConnections();
  http.close();
  return new Promise((resolve) => server.close(() => resolve()));
}
