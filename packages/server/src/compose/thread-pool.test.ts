import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { authService, etcdErrors, maintenanceService } from "@holdfast/protocol";
import { issueLocal, makeAuthority } from "../testing/certificates.js";
import { PoolCalls } from "../testing/pool-calls.js";
import { logIn } from "../testing/secured.js";
import { rejectsAs } from "../testing/status-error.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import { start } from "../testing/test-server.js";
import { poolCallsMax, syncPlace } from "./thread-pool.js";

test("F8: the log syncs in the pool of threads where that is ours alone and of such a size that it always has room", () => {
  assert.equal(syncPlace(true, undefined), "pool");
  for (const size of ["4", "16", "4 threads"]) assert.equal(syncPlace(true, size), "pool");
  for (const size of ["3", "1", "0", "", "many"]) assert.equal(syncPlace(true, size), "own thread");
  for (const size of [undefined, "16"]) assert.equal(syncPlace(false, size), "own thread");
});

const auth = authService.methods;

/** The page of metrics, compressed, without its text. */
function scrape(address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get(`http://${address}/metrics`, { headers: { "accept-encoding": "gzip" } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        assert.match(gunzipSync(Buffer.concat(chunks)).toString(), /^process_cpu/m);
        resolve();
      });
    }).on("error", reject);
  });
}

test("F8, F49: logins, metrics, certificates, new segments and snapshots at once leave room in the pool for the sync", async (t) => {
  const folder = temporaryFolder();
  const issued = await issueLocal(await makeAuthority());
  const files = { certFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") };
  writeFileSync(files.certFile, issued.cert);
  writeFileSync(files.keyFile, issued.key);
  const { client, server } = await start(t, {
    dataDir: join(folder, "data"),
    tls: { ...files, trustedCaFile: files.certFile },
    netLimits: { certificateCheckIntervalMs: 1 },
    auth: { passwordCost: 4 },
    ownsProcess: true,
  });
  // Where there is no bundle, the modules of this page are read, in the pool, when it is first asked for.
  await scrape(server.running.addresses[0] as string);
  const calls = new PoolCalls();
  t.after(() => calls.stop());
  await client.call(auth.userAdd, { name: "root", password: "right" });
  await client.call(auth.userGrantRole, { user: "root", role: "root" });
  await client.call(auth.authEnable);
  const root = client.withToken(await logIn(client, "root", "right"));
  const logins = Array.from({ length: 5 }, () => rejectsAs(logIn(client, "root", "wrong"), etcdErrors.authFailed));
  const value = "v".repeat(200_000);
  const puts = Array.from({ length: 60 }, (_, number) => root.put(`key${number}`, value));
  const snapshots = root.call(maintenanceService.methods.defragment);
  const scrapes = Array.from({ length: 5 }, () => scrape(server.running.addresses[0] as string));
  await Promise.all([...logins, ...puts, snapshots, ...scrapes]);
  assert.deepEqual([...calls.others], []);
  assert.ok(calls.files > 200, `${calls.files} calls`);
  assert.ok(calls.filesAtOnceMax > 1 && calls.filesAtOnceMax <= poolCallsMax, `${calls.filesAtOnceMax} at once`);
});
