/**
 * A short-lived process that gives a socket thread a descriptor of its own for the listening socket: see
 * `listening-copy.ts`. What it inherits is descriptor 4. A connection that it happens to accept meanwhile is handed on.
 */
import { createServer, type Server, type Socket } from "node:net";

const inheritedDescriptor = 4;
const lookMs = 20;
/** Longer than `listening-copy.ts` waits. */
const lifeMsMax = 10_000;

/** Whoever asked may be gone; then there is nobody to tell. */
function tell(what: string, handle?: Server | Socket): void {
  process.send?.(what, handle, {}, () => {});
}

function leaveIfAlone(): void {
  if (!process.connected) process.exit();
}

// Whoever holds on to the listening socket keeps others from the address, and connections from whoever accepts. Node.js says
// "disconnect" only when the other side has acknowledged every handle sent to it, which one that was killed never does.
leaveIfAlone();
process.once("disconnect", leaveIfAlone);
setInterval(leaveIfAlone, lookMs);
setTimeout(() => process.exit(1), lifeMsMax);

const server = createServer({ pauseOnConnect: true }, (socket) => tell("accepted", socket));
// The listener may have been closed before this began, and its number be something else by now.
server.once("error", () => process.exit(1));
server.listen({ fd: inheritedDescriptor }, () => tell("listening", server));
process.once("message", () => {
  // Its callback would wait for the connections that were handed on.
  server.close();
  // Behind the handles sent before, so who asked has all of them when it reads this.
  tell("closed");
});
