import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { silentLogger } from "../logger.js";
import { startServer } from "../start-server.js";

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** PING on stream 0 as the first frame, which must be SETTINGS. */
const wrongFirstFrame = Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

test("I12: peers that break the protocol over and over cannot fill the log", async (t) => {
  const lines: string[] = [];
  const logger = silentLogger();
  logger.warn = (_fields: object | string, message?: string) => lines.push(message ?? "");
  const server = await startServer({ listen: "127.0.0.1:0", logger });
  t.after(() => server.close());
  for (let n = 0; n < 20; n++) {
    const socket = connect(Number(server.endpoint.split(":")[1]), "127.0.0.1");
    socket.resume().write(preface);
    socket.write(wrongFirstFrame);
    await once(socket, "close");
  }
  assert.deepEqual(lines, ["connection ended: the first frame is not SETTINGS"]);
});
