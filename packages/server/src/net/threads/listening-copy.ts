/**
 * Lets a thread listen on a socket that another thread listens on.
 *
 * Both could use the same descriptor, but each would close it, and the second to do so may close somebody else's file that
 * has got its number by then. Node.js duplicates descriptors only on their way to another process, so one is sent there
 * and back.
 */
import { type ChildProcess, fork } from "node:child_process";
import type { Server, Socket } from "node:net";

/** A handle that finds no free descriptor here is never delivered, and nobody told. */
const relayMsMax = 5_000;

/** Takes what comes from the relay. */
export interface CopyReceiver {
  /** The listening socket, in this thread. It must be listened on at once: see `Server.listen` with a handle. */
  listening(server: Server): void;
  /** A connection that came meanwhile. */
  accepted(socket: Socket): void;
}

/** Resolves when nothing more will come. Rejects if the relay cannot do it in time; it is gone then. */
export function copyListening(descriptor: number, receiver: CopyReceiver): Promise<void> {
  const relay = fork(new URL("./descriptor-relay.js", import.meta.url), {
    execArgv: [],
    stdio: ["ignore", "ignore", "inherit", "ipc", descriptor],
  });
  const deadline = setTimeout(() => relay.kill("SIGKILL"), relayMsMax);
  return new Promise((resolve, reject) => {
    relay.once("error", reject);
    relay.once("exit", (code, signal) => {
      clearTimeout(deadline);
      reject(new Error(`the relay of the listening socket has ended with ${code ?? signal}`));
    });
    relay.on("message", (what, handle) => {
      if (what === "listening") takeOver(relay, handle as Server, receiver);
      else if (what === "closed") resolve(relay.disconnect());
      // Its handle is missing if the client has gone on the way.
      else if (handle) receiver.accepted(handle as Socket);
    });
  });
}

function takeOver(relay: ChildProcess, server: Server, receiver: CopyReceiver): void {
  receiver.listening(server);
  relay.send("close");
}
