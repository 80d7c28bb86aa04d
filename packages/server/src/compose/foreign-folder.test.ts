import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startServer } from "../start-server.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import { ForeignFolderError } from "./foreign-folder.js";

test("a folder of etcd is refused, and nothing is written into it", async () => {
  const dataDir = temporaryFolder();
  mkdirSync(join(dataDir, "member"));
  await assert.rejects(startServer({ dataDir, listen: "127.0.0.1:0" }), (error) => {
    assert.ok(error instanceof ForeignFolderError);
    assert.match(error.message, /holds a database of etcd.*holdfast import/);
    return true;
  });
});

test("a folder of something else is refused by the name of what is in it", async () => {
  const dataDir = temporaryFolder();
  writeFileSync(join(dataDir, "thesis.txt"), "");
  await assert.rejects(startServer({ dataDir, listen: "127.0.0.1:0" }), /not empty.*"thesis\.txt"/);
});

test("what a new file system or a first start leaves is no obstacle", async () => {
  const dataDir = temporaryFolder();
  mkdirSync(join(dataDir, "lost+found"));
  writeFileSync(join(dataDir, ".keep"), "");
  for (let starts = 0; starts < 2; starts++) {
    const server = await startServer({ dataDir, listen: "127.0.0.1:0" });
    await server.close();
  }
  const cutOff = temporaryFolder();
  writeFileSync(join(cutOff, "meta.new"), "");
  const server = await startServer({ dataDir: cutOff, listen: "127.0.0.1:0" });
  await server.close();
});
