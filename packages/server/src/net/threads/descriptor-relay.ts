/**
 * A short-lived process that gives a socket thread a descriptor of its own for the listening socket: see
 * `listening-copy.ts`. What it inherits is descriptor 4. A connection that it happens to accept meanwhile is handed on.
 */
import { createServer, type Server, type Socket } from "node:net";

const inheritedDescriptor = 4;

/** Whoever asked may be gone; then there is nobody to tell. */
function tell(what: string, handle?: Server | Socket): void {
  process.send?.(what, handle, {}, () => {});
}

// Whoever holds on to the listening socket keeps others from the address.
process.once("disconnect", () => process.exit());
if (!process.connected) process.exit();

const server = createServer({ pauseOnConnect: true }, (socket) => tell("accepted", socket));
server.listen({ fd: inheritedDescriptor }, () => tell("listening", server));
process.once("message", () => {
  // Its callback would wait for the connections that were handed on.
  server.close();
  // Behind the handles sent before, so who asked has all of them when it reads this.
  tell("closed");
});
