// A TCP proxy whose connections can be cut from outside, for proving that a watch resumes.
//
// `POST /cut` on the control address ends every connection through the proxy and is answered with 200 once both sides
// of each have closed; the body is how many they were. Connections made afterwards pass.

import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer } from "node:net";

/** Starts a proxy before `target` ("host:port"). `close` ends it, with all connections. */
export async function startProxy(target) {
  const connections = new Set();
  const cut = () => Promise.all([...connections].map(cutConnection));
  const proxy = createServer((client) => forward(client, target, connections));
  const control = createHttpServer(async (request, response) => {
    const known = request.method === "POST" && request.url === "/cut";
    const closed = known ? await cut() : [];
    response.writeHead(known ? 200 : 404).end(String(closed.length));
  });
  await Promise.all([listen(proxy), listen(control)]);
  return {
    endpoint: `127.0.0.1:${proxy.address().port}`,
    controlUrl: `http://127.0.0.1:${control.address().port}`,
    async close() {
      proxy.close();
      control.close();
      control.closeAllConnections();
      await cut();
    },
  };
}

async function listen(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
}

function forward(client, target, connections) {
  const [host, port] = target.split(":");
  const upstream = connect({ host, port: Number(port), noDelay: true });
  client.setNoDelay(true);
  const connection = [client, upstream];
  connections.add(connection);
  for (const [from, to] of [connection, connection.toReversed()]) {
    from.pipe(to);
    // An error is followed by `close`, which ends the other side too.
    from.on("error", () => {});
    from.once("close", () => {
      to.destroy();
      connections.delete(connection);
    });
  }
}

function cutConnection(sockets) {
  return Promise.all(
    sockets.map((socket) => {
      const closed = socket.closed ? undefined : once(socket, "close");
      socket.destroy();
      return closed;
    }),
  );
}
