/**
 * An echo server to measure the transport alone. Prints its port; drive it with, for one connection of 100 streams:
 *
 *   printf '\0\0\0\0\005hello' > /tmp/frame
 *   h2load -n 1000000 -c 1 -m 100 -H 'content-type: application/grpc' -H 'te: trailers' -d /tmp/frame \
 *     http://127.0.0.1:PORT/bench.Echo/Call
 */
import { createServer } from "node:net";
import { GrpcServer } from "./server.js";

const server = new GrpcServer({
  methods: [{ kind: "unary", path: "/bench.Echo/Call", handle: (request, call) => call.reply(request) }],
});
const listener = createServer((socket) => server.handleConnection(socket));
listener.listen(0, "127.0.0.1", () => {
  const address = listener.address();
  if (address !== null && typeof address === "object") console.log(address.port);
});
process.on("SIGTERM", () => process.exit());
