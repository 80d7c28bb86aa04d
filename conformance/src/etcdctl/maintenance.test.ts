// The real etcdctl's commands for whoever looks after a server: snapshots, leadership, members, alarms, downgrades.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { freshName, skipWithout, useServer } from "../fixture.js";
import { perTarget } from "../target.js";
import { ctl, ctlError } from "./ctl.js";

const digestBytes = 32;

describe("etcdctl: maintenance", { skip: skipWithout("etcdctl") }, () => {
  const fixture = useServer();
  const folder = mkdtempSync(join(tmpdir(), "holdfast-etcdctl-"));
  after(() => rmSync(folder, { recursive: true, force: true }));

  const run = (...args: readonly string[]) => ctl(fixture.server.endpoint, args);
  const runError = (...args: readonly string[]) => ctlError(fixture.server.endpoint, args);

  /** The member's id as etcdctl writes it: in hex. */
  async function memberId(): Promise<string> {
    return (await run("member", "list")).split(", ")[0] ?? "";
  }

  test("MAINT-9: snapshot save writes a file that ends with the digest of what is before it", async () => {
    await run("put", freshName("saved"), "x".repeat(100_000));
    const file = join(folder, "snapshot.db");
    const [saved, version] = (await run("snapshot", "save", file)).split("\n");
    assert.equal(saved, `Snapshot saved at ${file}`);
    assert.equal(version, "Server version 3.7.0");
    const bytes = readFileSync(file);
    assert.ok(bytes.length > 100_000 + digestBytes, `${bytes.length} bytes`);
    assert.equal(bytes.length % 512, digestBytes, "tools know a file with a digest by its size");
    const digest = createHash("sha256").update(bytes.subarray(0, -digestBytes)).digest();
    assert.deepEqual(bytes.subarray(-digestBytes), digest);
  });

  test("snapshot save of a state that has grown is larger", async () => {
    const sizes: number[] = [];
    for (const name of ["before.db", "after.db"]) {
      const file = join(folder, name);
      await run("snapshot", "save", file);
      sizes.push(statSync(file).size);
      for (const _ of [1, 2]) {
        await run("put", freshName("growth"), "y".repeat(120_000));
      }
    }
    const [first = 0, second = 0] = sizes;
    assert.ok(second > first + 200_000, `${first}, then ${second}`);
  });

  test("CTL-5, MAINT-10: move-leader to the leader itself, and to nobody", async () => {
    const id = await memberId();
    assert.equal(await run("move-leader", id), `Leadership transferred from ${id} to ${id}`);
    assert.equal(await runError("move-leader", "123"), "Error: etcdserver: bad leader transferee");
  });

  test("CLUS-2, CLUS-5: members that are not there, and the only one", async () => {
    const id = await memberId();
    const unknown = "Error: etcdserver: member not found";
    assert.equal(await runError("member", "remove", "123"), unknown);
    assert.equal(await runError("member", "promote", "123"), unknown);
    assert.equal(await runError("member", "update", "123", "--peer-urls=http://127.0.0.1:1"), unknown);
    assert.equal(await runError("member", "promote", id), "Error: etcdserver: can only promote a learner member");
    const only = "Error: etcdserver: re-configuration failed due to not enough started members";
    assert.equal(await runError("member", "remove", id), only);
  });

  test("member list in JSON and as a table", async () => {
    const { header, members } = JSON.parse(await run("member", "list", "-w", "json"));
    assert.equal(members.length, 1);
    assert.equal(members[0].ID, header.member_id);
    assert.deepEqual(members[0].clientURLs, [`http://${fixture.server.endpoint}`]);
    assert.ok((await run("member", "list", "-w", "table")).includes(await memberId()));
  });

  test("CLUS-4: member add of a learner", async () => {
    const args = ["member", "add", "second", "--peer-urls=http://127.0.0.1:1", "--learner"];
    await perTarget({
      holdfast: async () => assert.equal(await runError(...args), "Error: etcdserver: not capable"),
      etcd: async () => {
        const added = /^Member +([0-9a-f]+) added as learner/.exec(await run(...args));
        await run("member", "remove", added?.[1] ?? "");
      },
    })();
    assert.equal((await run("member", "list")).split("\n").length, 1);
  });

  test("MAINT-11: downgrade validate and cancel", async () => {
    assert.equal(await run("downgrade", "validate", "3.6"), "Downgrade validate success, cluster version 3.7");
    const wrong = "Error: etcdserver: invalid downgrade target version";
    assert.equal(await runError("downgrade", "validate", "3.5"), wrong);
    assert.equal(await run("downgrade", "cancel"), "Downgrade cancel success, cluster version 3.7");
  });

  test("endpoint status as a table, as fields and in JSON", async () => {
    await run("put", freshName("status"), "x");
    const table = await run("endpoint", "status", "-w", "table");
    assert.ok(table.includes(fixture.server.endpoint) && table.includes("IS LEADER"), table);
    const fields = await run("endpoint", "status", "-w", "fields");
    assert.match(fields, /^"StorageVersion" : "\d+\.\d+\.\d+"$/m);
    assert.match(fields, /^"Leader" : \d+$/m);
    const [{ Status: status }] = JSON.parse(await run("endpoint", "status", "-w", "json"));
    assert.equal(status.dbSizeQuota, 2 * 1024 ** 3);
  });

  test("endpoint hashkv at a revision", async () => {
    await run("put", freshName("hash"), "x");
    const whole = await run("endpoint", "hashkv");
    const revision = /, (\d+)$/.exec(whole)?.[1] ?? "";
    assert.equal(await run("endpoint", "hashkv", "--rev", revision), whole);
  });
});

describe("etcdctl: alarms", { skip: skipWithout("etcdctl") }, () => {
  const fixture = useServer({ args: ["--quota-backend-bytes", "1000000"] });

  const run = (...args: readonly string[]) => ctl(fixture.server.endpoint, args);
  const runError = (...args: readonly string[]) => ctlError(fixture.server.endpoint, args);
  const put = (bytes: number, input = "x".repeat(bytes)) => ctl(fixture.server.endpoint, ["put", "a"], { input });

  test("MAINT-4, CTL-3: NOSPACE is listed, stops writes and health, and is disarmed", async () => {
    const noSpace = "Error: etcdserver: mvcc: database space exceeded";
    assert.equal(await put(1000), "OK");
    const refused = await ctlError(fixture.server.endpoint, ["put", "a"], { input: "x".repeat(1_000_000) });
    assert.equal(refused, noSpace);
    const id = BigInt(`0x${(await run("member", "list")).split(", ")[0]}`);
    const alarm = new RegExp(`^memberID:${id} +alarm:NOSPACE *$`);
    assert.match(await run("alarm", "list"), alarm);
    assert.equal(await runError("put", "b", "1"), noSpace);
    assert.match(await runError("lease", "grant", "60"), /etcdserver: mvcc: database space exceeded/);
    assert.match(await run("get", "a", "--count-only", "-w", "fields"), /"Count" : 1/);
    assert.match(await runError("endpoint", "health"), /unhealthy cluster/);
    assert.match(await run("endpoint", "status"), /alarm: *NOSPACE/);
    assert.match(await run("alarm", "disarm"), alarm);
    assert.equal(await run("alarm", "list"), "");
    assert.equal(await put(1000), "OK");
    assert.match(await run("endpoint", "health"), / is healthy/);
  });
});
