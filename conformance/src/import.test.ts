// `holdfast import` and `holdfast snapshot` beside the real thing: everything a real etcd holds arrives in Holdfast, again
// and again; what etcdctl saves from Holdfast can be restored, and what it saves from etcd is told apart.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { EtcdClient } from "./client/etcd-client.js";
import { serverFiles } from "./differential/certificates.js";
import { ctl } from "./etcdctl/ctl.js";
import { skipWithout, untilKeys } from "./fixture.js";
import { type ServerUnderTest, startServer } from "./server-under-test.js";

const main = fileURLToPath(new URL("../../packages/holdfast/dist/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "holdfast-import-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the `holdfast` command to its end. */
async function holdfast(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, ["--enable-source-maps", main, ...args], { env: { PATH: process.env.PATH } });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output.stderr += chunk;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...output };
}

/** Runs the command, asserts success, and returns its standard output. */
async function succeed(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await holdfast(...args);
  assert.equal(code, 0, `holdfast ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

/** All keys with value and lease, oldest first where the order of creation is wanted. */
async function keysOf(client: EtcdClient): Promise<readonly string[]> {
  const { kvs } = await client.call("etcdserverpb.KV/Range", { key: Buffer.from([0]), range_end: Buffer.from([0]) });
  return kvs.map(({ key, value, lease }) => `${key.toString("hex")}=${value.toString("hex")} ${lease}`);
}

/** Every lease with its granted time and its keys. */
async function leasesOf(client: EtcdClient, ids: readonly string[]): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const id of ids) {
    const { grantedTTL, keys } = await client.timeToLive(id, true);
    lines.push(`${id} ${grantedTTL} ${keys.map((key) => key.toString("hex")).sort()}`);
  }
  return lines;
}

describe("holdfast import from a real etcd", { skip: skipWithout("etcd") }, () => {
  let servers: readonly ServerUnderTest[] = [];
  let source: EtcdClient;
  let target: EtcdClient;
  let ends: readonly string[];
  const leases = ["7", "-8", "9223372036854775807"];

  before(async () => {
    servers = [await startServer({ target: "etcd" }), await startServer({ target: "holdfast" })];
    const [from, to] = servers.map(({ endpoint }) => endpoint) as [string, string];
    source = new EtcdClient(from);
    target = new EtcdClient(to);
    ends = ["--from", `http://${from}`, "--to", `http://${to}`];
  });
  after(async () => {
    source?.close();
    target?.close();
    for (const server of servers) {
      await server.dispose();
    }
  });

  async function same(): Promise<void> {
    assert.deepEqual(await keysOf(target), await keysOf(source));
    assert.deepEqual(await leasesOf(target, leases), await leasesOf(source, leases));
  }

  const put = (key: Buffer, value: Buffer, lease = "0"): Promise<unknown> =>
    source.call("etcdserverpb.KV/Put", { key, value, lease });

  test("3,000 keys, bytes of every kind, long values and leases arrive as they are", async () => {
    for (const lease of leases) {
      await source.grant(600, lease);
    }
    const names = Array.from({ length: 3_000 }, (_, n) => n);
    for (let start = 0; start < names.length; start += 250) {
      await Promise.all(
        names
          .slice(start, start + 250)
          .map((n) => source.put(`many/${n}`, `value ${n}`, { lease: n % 10 === 0 ? 7 : 0 })),
      );
    }
    for (let byte = 0; byte < 256; byte += 1) {
      await put(Buffer.from([byte]), Buffer.from([255 - byte, 0, byte]), byte % 2 === 0 ? leases[1] : "0");
    }
    await put(Buffer.from("empty"), Buffer.alloc(0), leases[2]);
    await put(Buffer.from("long"), Buffer.alloc(1_400_000, 1));
    assert.match(
      await succeed("import", ...ends),
      /^3,258 keys copied, 0 unchanged, 0 deleted; 3 leases, 3 of them new; /,
    );
    await same();
  });

  test("run again, it writes nothing that is the same", async () => {
    const before = await target.revision();
    assert.match(
      await succeed("import", ...ends),
      /^0 keys copied, 3258 unchanged, 0 deleted; 3 leases, 0 of them new; /,
    );
    assert.equal(await target.revision(), before);
  });

  test("after changes at the source it copies those, and deletes what is gone if told to", async () => {
    await source.put("many/1", "changed");
    await source.put("many/2", "value 2", { lease: "7" });
    await source.put("many/10", "value 10");
    await source.put("new", "one");
    await source.delete("many/3");
    const refused = await holdfast("import", ...ends);
    assert.equal(refused.code, 10, refused.stderr);
    assert.match(
      refused.stderr,
      /the target has 1 key that the source does not have \("many\/3"\); nothing was changed/,
    );
    assert.equal((await target.get("many/1"))?.value.toString(), "value 1");
    assert.match(await succeed("import", ...ends, "--delete-extra"), /^4 keys copied, 3254 unchanged, 1 deleted; /);
    await same();
  });

  test("a compacted source is copied", async () => {
    await source.call("etcdserverpb.KV/Compact", { revision: await source.revision() });
    await source.put("after", "compaction");
    assert.match(await succeed("import", ...ends), /^1 key copied, /);
    await same();
  });

  test("LOCK-3: who waits for a lock keeps its place, and whoever comes later waits behind", async () => {
    const [first, second] = [await source.grant(600), await source.grant(600)];
    const [older, younger] = BigInt(first) > BigInt(second) ? [first, second] : [second, first];
    const { key: heldKey } = await source.lock("deploy", older).response;
    const waiting = source.lock("deploy", younger);
    await untilKeys(source, "deploy/", (kvs) => kvs.length === 2);
    await succeed("import", ...ends);
    const { kvs } = await target.prefix("deploy/", { sort_order: "ASCEND", sort_target: "CREATE" });
    assert.deepEqual(kvs[0]?.key, heldKey);
    assert.equal(kvs.length, 2);
    const third = target.lock("deploy", await target.grant(600));
    await target.delete(heldKey);
    const again = await target.lock("deploy", younger).response;
    assert.deepEqual(again.key, kvs[1]?.key);
    assert.equal(third.settled, false);
    third.cancel();
    waiting.cancel();
  });
});

describe("holdfast import from an etcd with client certificates", { skip: skipWithout("etcd") }, () => {
  test("the flags of etcdctl make the connection", async () => {
    const dataFolder = join(folder, "tls-source");
    const plain = await startServer({ target: "etcd", dataFolder });
    const client = new EtcdClient(plain.endpoint);
    await client.put("secret", "s");
    client.close();
    await plain.dispose();
    const tls = await serverFiles();
    const source = await startServer({ target: "etcd", dataFolder, tls });
    const target = await startServer({ target: "holdfast" });
    try {
      const ends = ["--from", `https://${source.endpoint}`, "--to", target.endpoint, "--cacert", tls.trustedCaFile];
      const without = await holdfast("import", ...ends);
      assert.equal(without.code, 9, without.stderr);
      await succeed("import", ...ends, "--cert", tls.certFile, "--key", tls.keyFile);
      const copied = new EtcdClient(target.endpoint);
      assert.equal((await copied.get("secret"))?.value.toString(), "s");
      copied.close();
    } finally {
      await target.dispose();
      await source.dispose();
    }
  });
});

describe("MAINT-9: a snapshot that etcdctl saves", { skip: skipWithout("etcd", "etcdctl") }, () => {
  const file = join(folder, "saved.db");

  async function saveFrom(target: "holdfast" | "etcd"): Promise<void> {
    const server = await startServer({ target });
    const client = new EtcdClient(server.endpoint);
    try {
      await client.put("a", "1", { lease: await client.grant(600) });
      await client.put("a", "2");
      await ctl(server.endpoint, ["snapshot", "save", file]);
    } finally {
      client.close();
      await server.dispose();
    }
  }

  test("from Holdfast is looked at, restored and served", async () => {
    await saveFrom("holdfast");
    const { revision, totalKey, leases } = JSON.parse(await succeed("snapshot", "status", file, "--json"));
    assert.deepEqual([revision, totalKey, leases], [3, 1, 1]);
    const dataFolder = join(folder, "restored");
    await succeed("snapshot", "restore", file, "--data-dir", dataFolder);
    const server = await startServer({ target: "holdfast", dataFolder });
    const client = new EtcdClient(server.endpoint);
    const found = await client.get("a");
    assert.deepEqual([found?.value.toString(), found?.version, found?.mod_revision], ["2", "2", "3"]);
    client.close();
    await server.dispose();
  });

  test("from etcd is told apart", async () => {
    await saveFrom("etcd");
    for (const args of [["status"], ["restore", "--data-dir", join(folder, "nothing")]]) {
      const { code, stderr } = await holdfast("snapshot", ...args, file);
      assert.equal(code, 6);
      assert.match(stderr, /a snapshot of etcd, not of Holdfast/);
    }
  });
});
