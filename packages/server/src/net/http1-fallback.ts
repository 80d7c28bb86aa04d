/** Answers HTTP/1.1 where only gRPC is served: one request each, then the connection ends. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { ClientSocket } from "./client-socket.js";

const answerText =
  "404 page not found\nThis address speaks the etcd v3 API over gRPC (HTTP/2) only; try: etcdctl endpoint status\n";
const answerHeaders = {
  "content-type": "text/plain; charset=utf-8",
  "content-length": Buffer.byteLength(answerText),
  connection: "close",
};

/** Takes connections over after their first bytes. Holds no list of them: who hands them over does. */
export class Http1Fallback {
  readonly #server: Server;
  readonly #deadlineMs: number;

  /** `deadlineMs` is for one connection as a whole: head, body and answer. */
  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
    this.#server = createServer(answer);
    // What is neither HTTP/2 nor HTTP/1.1 gets no answer that it could mistake for one (RFC 9113 3.4).
    this.#server.on("clientError", (_error, socket) => socket.destroy());
  }

  /** Speaks HTTP/1.1 on `socket` from now on; `alreadyRead` is what was read from it before. */
  take(socket: ClientSocket, alreadyRead: Buffer): void {
    this.#limitLife(socket);
    socket.on("error", () => socket.destroy());
    socket.pause();
    this.#server.emit("connection", socket);
    socket.unshift(alreadyRead);
    socket.resume();
  }

  /** Node's own deadlines for requests, and its list of connections, begin only when the HTTP server itself listens. */
  #limitLife(socket: ClientSocket): void {
    const timer = setTimeout(() => socket.destroy(), this.#deadlineMs);
    socket.once("close", () => clearTimeout(timer));
  }
}

/** It is told so, in words. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  // Closing with part of the body unread would reset the connection, and the peer might lose the answer.
  request.resume();
  request.once("end", () => {
    response.writeHead(404, answerHeaders).end(answerText);
  });
}
