import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { Duplex } from "node:stream";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const relay = fileURLToPath(new URL("./descriptor-relay.js", import.meta.url));
const options = { skip: process.platform !== "linux", timeout: 20_000 };

test("a relay whose server was killed with a handle under way lets go of the address", options, async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const { _handle: handle } = server as unknown as { readonly _handle: { readonly fd: number } };
  const child = spawn(process.execPath, [relay], {
    stdio: ["ignore", "ignore", "inherit", "pipe", handle.fd],
    env: { ...process.env, NODE_CHANNEL_FD: "3" },
  });
  t.after(() => child.kill("SIGKILL"));
  const exited = once(child, "exit");
  // What `fork` would acknowledge is read here and not answered, as by a process that is no more.
  const channel = child.stdio[3] as Duplex;
  const [sent] = (await once(channel, "data")) as [Buffer];
  assert.match(sent.toString(), /NODE_HANDLE/);
  channel.destroy();
  await exited;
});
