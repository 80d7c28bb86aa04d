/**
 * The sockets of the driver: plain or TLS, without Node's delays, read into one buffer that all connections of a thread
 * share (it is used up before the next one is read).
 */
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectSecure } from "node:tls";
import { tlsCipher } from "../servers/tls.js";

/** Where a load goes. Can be sent to another thread. */
export interface DriverTarget {
  readonly port: number;
  /** The certificate to trust, PEM; with it the connection goes through TLS. */
  readonly certificate?: string | undefined;
  /** The address of this machine to connect from, where one may not have so many connections; only without TLS. */
  readonly localAddress?: string;
}

/** Takes `chunk[0, length)`, valid only during the call. */
export type ChunkHandler = (chunk: Uint8Array, length: number) => void;

const host = "127.0.0.1";
const readBytesMax = 256 * 1024;
const readBuffer = Buffer.allocUnsafeSlow(readBytesMax);

/** Connects, and then hands on what arrives. Rejects when nobody listens or the certificate is not the right one. */
export function connectSocket(target: DriverTarget, onChunk: ChunkHandler): Promise<Socket> {
  const { port, certificate } = target;
  return new Promise((resolve, reject) => {
    const socket = certificate === undefined ? openPlain(target, onChunk) : openSecure(port, certificate, onChunk);
    socket.once("error", reject);
    socket.once(certificate === undefined ? "connect" : "secureConnect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

function openPlain({ port, localAddress }: DriverTarget, onChunk: ChunkHandler): Socket {
  const onread = {
    buffer: readBuffer,
    callback: (length: number, chunk: Uint8Array): boolean => {
      onChunk(chunk, length);
      return true;
    },
  };
  return connectPlain({ host, port, ...(localAddress !== undefined && { localAddress }), noDelay: true, onread });
}

function openSecure(port: number, certificate: string, onChunk: ChunkHandler): Socket {
  const socket = connectSecure({
    host,
    port,
    ca: certificate,
    servername: "localhost",
    ALPNProtocols: ["h2"],
    minVersion: "TLSv1.3",
    ciphers: tlsCipher,
  });
  socket.setNoDelay(true);
  socket.on("data", (chunk: Buffer) => onChunk(chunk, chunk.length));
  return socket;
}
