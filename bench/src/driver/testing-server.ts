/** A gRPC server within the process, for tests of the driver: it sends back, streams, and refuses. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { GrpcServer, type ServerCall, type TransportLimits } from "@holdfast/transport";

export const echoPath = "/test.Service/Echo";
export const refusePath = "/test.Service/Refuse";
export const holdPath = "/test.Service/Hold";
export const chatPath = "/test.Service/Chat";

export class TestingServer {
  /** Calls of `holdPath`, which the test answers or not. */
  readonly held: ServerCall[] = [];
  readonly #grpc: GrpcServer;
  readonly #listener: Server;
  readonly #sockets: Socket[] = [];

  private constructor(limits: Partial<TransportLimits>) {
    this.#grpc = new GrpcServer({
      limits,
      methods: [
        { kind: "unary", path: echoPath, handle: (request, call) => call.reply(request) },
        { kind: "unary", path: refusePath, handle: (_, call) => call.end({ code: 9, message: "not now" }) },
        { kind: "unary", path: holdPath, handle: (_, call) => void this.held.push(call) },
        {
          kind: "bidi",
          path: chatPath,
          open: (call) => ({
            message: (bytes) => call.send(bytes),
            halfClose: () => call.end({ code: 0, message: "" }),
          }),
        },
      ],
    });
    this.#listener = createServer((socket) => {
      this.#sockets.push(socket);
      this.#grpc.handleConnection(socket);
    });
  }

  static async start(limits: Partial<TransportLimits> = {}): Promise<TestingServer> {
    const server = new TestingServer(limits);
    server.#listener.listen(0, "127.0.0.1");
    await once(server.#listener, "listening");
    return server;
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  /** Ends every connection without a word. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    this.#grpc.close();
    this.#listener.close();
    await once(this.#listener, "close");
  }
}
