/**
 * The bench's side of the turn probe: what a server must be started with for the probe to run in it, and the question.
 * A server that does not run on Node.js ignores it; it has no turns to tell of.
 */

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StartOptions } from "../servers/server.js";

/** Names the probe's Unix socket in the environment of the server. */
export const turnSocketVariable = "HOLDFAST_BENCH_TURN_SOCKET";

/** Asks one server for its longest turns. */
export class TurnReader {
  // Not beside the data: the path of a Unix socket has about a hundred bytes.
  readonly #folder = mkdtempSync(join(tmpdir(), "turns-"));

  get #socketPath(): string {
    return join(this.#folder, "socket");
  }

  /** What to start the server with: in front of its own script the probe, which runs that. */
  get startOptions(): Pick<StartOptions, "nodeArgs" | "environment"> {
    return {
      nodeArgs: [fileURLToPath(new URL("probe.js", import.meta.url))],
      environment: { [turnSocketVariable]: this.#socketPath },
    };
  }

  /** The longest turn since the last time this was asked, in milliseconds; undefined when the server runs no probe. */
  async longestTurnMs(): Promise<number | undefined> {
    const socket = connect(this.#socketPath);
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    const isClosed = await once(socket, "close").catch(() => undefined);
    return isClosed === undefined || text === "" ? undefined : Number(text);
  }

  /** Removes the socket's folder. */
  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
