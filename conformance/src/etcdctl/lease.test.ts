// The real etcdctl's lease commands against the server under test.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { freshName, skipWithout, untilKeys, useServer } from "../fixture.js";
import { CtlProcess, ctl, ctlError } from "./ctl.js";

describe("etcdctl: lease", { skip: skipWithout("etcdctl") }, () => {
  const fixture = useServer();

  const run = (...args: readonly string[]) => ctl(fixture.server.endpoint, args);
  const runError = (...args: readonly string[]) => ctlError(fixture.server.endpoint, args);

  /** Grants a lease and returns its id as etcdctl writes it: in hex. */
  async function grant(ttlSeconds: number): Promise<string> {
    const printed = await run("lease", "grant", String(ttlSeconds));
    const match = /^lease ([0-9a-f]+) granted with TTL\((\d+)s\)$/.exec(printed);
    assert.ok(match !== null, printed);
    assert.equal(Number(match[2]), Math.max(ttlSeconds, 2));
    return match[1] ?? "";
  }

  test("grant, and a TTL below the least one", async () => {
    await grant(100);
    await grant(1);
    assert.match(await runError("lease", "grant", "9000000001"), /etcdserver: too large lease TTL/);
  });

  test("timetolive, with and without --keys", async () => {
    const lease = await grant(500);
    const key = freshName("ttl");
    await run("put", key, "x", `--lease=${lease}`);
    const remaining = /remaining\((\d+)s\)/;
    const plain = await run("lease", "timetolive", lease);
    assert.match(plain, new RegExp(`^lease ${lease} granted with TTL\\(500s\\), remaining\\(\\d+s\\)$`));
    assert.ok(Number(remaining.exec(plain)?.[1]) <= 500);
    assert.match(await run("lease", "timetolive", lease, "--keys"), new RegExp(`attached keys\\(\\[${key}\\]\\)$`));
    assert.equal(await run("lease", "timetolive", "123abc"), "lease 0000000000123abc already expired");
  });

  test("keep-alive --once", async () => {
    const lease = await grant(500);
    assert.equal(await run("lease", "keep-alive", "--once", lease), `lease ${lease} keepalived with TTL(500)`);
    assert.match(await runError("lease", "keep-alive", "--once", "123abc"), /requested lease not found/);
  });

  test("keep-alive goes on until the lease is revoked", async () => {
    const lease = await grant(3);
    const keeper = new CtlProcess(fixture.server.endpoint, ["lease", "keep-alive", lease]);
    const line = `lease ${lease} keepalived with TTL(3)`;
    assert.deepEqual(await keeper.nextLines(2), [line, line]);
    await run("lease", "revoke", lease);
    const { stdout } = await keeper.ended;
    assert.match(stdout, new RegExp(`lease ${lease} expired or revoked\\.?\n$`));
  });

  test("list", async () => {
    const leases = [await grant(1000), await grant(2000)];
    const [first, ...listed] = (await run("lease", "list")).split("\n");
    assert.equal(first, `found ${listed.length} leases`);
    assert.ok(leases.every((lease) => listed.includes(lease)));
  });

  test("revoke deletes the keys; again it is refused", async () => {
    const lease = await grant(500);
    const key = freshName("revoke");
    await run("put", key, "x", `--lease=${lease}`);
    assert.equal(await run("lease", "revoke", lease), `lease ${lease} revoked`);
    assert.equal(await run("get", key), "");
    assert.match(await runError("lease", "revoke", lease), /etcdserver: requested lease not found/);
  });

  test("a key goes with its lease when nobody keeps that alive", async () => {
    const prefix = `${freshName("expiry")}/`;
    const lease = await grant(2);
    await run("put", `${prefix}a`, "x", `--lease=${lease}`);
    await untilKeys(fixture.client, prefix, (kvs) => kvs.length === 0);
    assert.equal(await run("lease", "timetolive", lease), `lease ${lease} already expired`);
  });
});
