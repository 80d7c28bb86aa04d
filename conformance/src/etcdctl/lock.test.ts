// The real etcdctl's lock and elect against the server under test, and beside the Lock and Election services.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { freshName, keyTexts, skipWithout, untilKeys, useServer } from "../fixture.js";
import { CtlProcess, ctl, runCtl } from "./ctl.js";

describe("etcdctl: lock and elect", { skip: skipWithout("etcdctl"), concurrency: true }, () => {
  const fixture = useServer();

  const start = (...args: readonly string[]) => new CtlProcess(fixture.server.endpoint, args);

  /** Resolves when `count` contenders stand under the name. */
  const queued = (name: string, count: number) => untilKeys(fixture.client, `${name}/`, (kvs) => kvs.length === count);

  test("lock prints its key, which is the oldest under the name, and frees it on an interrupt", async () => {
    const name = freshName("lock");
    const holder = start("lock", name);
    const key = await holder.nextLine();
    const [kv] = await queued(name, 1);
    assert.equal(kv?.key.toString(), key);
    assert.equal(key, `${name}/${BigInt(kv?.lease ?? 0).toString(16)}`);
    const { code } = await holder.kill("SIGINT");
    assert.equal(code, 0);
    await queued(name, 0);
  });

  test("lock with a command tells it key and revision, and frees the lock afterwards", async () => {
    const name = freshName("command");
    const printed = await ctl(fixture.server.endpoint, [
      "lock",
      name,
      "--",
      "sh",
      "-c",
      "echo $ETCD_LOCK_KEY $ETCD_LOCK_REV",
    ]);
    const [key = "", revision = ""] = printed.split(" ");
    assert.ok(key.startsWith(`${name}/`), printed);
    const old = await fixture.client.range(key, { revision });
    assert.equal(old.kvs[0]?.create_revision, revision);
    assert.equal(await fixture.client.get(key), undefined);
  });

  test("lock hands on the exit code of its command", async () => {
    const { code } = await runCtl(fixture.server.endpoint, ["lock", freshName("exit"), "--", "sh", "-c", "exit 7"]);
    assert.equal(code, 7);
  });

  test("contending locks are held in the order of their keys, one at a time", async () => {
    const name = freshName("contend");
    const first = start("lock", name);
    const firstKey = await first.nextLine();
    const second = start("lock", name);
    await queued(name, 2);
    const third = start("lock", name);
    const keys = keyTexts(await queued(name, 3));
    assert.equal(keys[0], firstKey);
    assert.deepEqual([second.pending, third.pending], [[], []]);
    await first.kill("SIGINT");
    assert.equal(await second.nextLine(), keys[1]);
    assert.deepEqual(third.pending, []);
    await second.kill("SIGINT");
    assert.equal(await third.nextLine(), keys[2]);
    await third.kill("SIGINT");
  });

  test("a waiting lock that is interrupted leaves the queue", async () => {
    const name = freshName("leave");
    const first = start("lock", name);
    const firstKey = await first.nextLine();
    const second = start("lock", name);
    await queued(name, 2);
    await second.kill("SIGINT");
    assert.deepEqual(keyTexts(await queued(name, 1)), [firstKey]);
    await first.kill("SIGINT");
  });

  test("a killed holder's lock passes on when its lease ends", async () => {
    const name = freshName("killed");
    const first = start("lock", name, "--ttl=2");
    await first.nextLine();
    const second = start("lock", name);
    const keys = keyTexts(await queued(name, 2));
    await first.kill("SIGKILL");
    assert.equal(await second.nextLine(), keys[1]);
    await second.kill("SIGINT");
  });

  test("LOCK-27: etcdctl lock and the Lock service share one queue, both ways", async () => {
    const name = freshName("shared");
    const first = start("lock", name);
    await first.nextLine();
    const rpc = fixture.client.lock(name, await fixture.client.grant(60));
    await queued(name, 2);
    const third = start("lock", name);
    await queued(name, 3);
    assert.equal(rpc.settled, false);
    await first.kill("SIGINT");
    const { key } = await rpc.response;
    assert.deepEqual(third.pending, []);
    await fixture.client.unlock(key);
    await third.nextLine();
    await third.kill("SIGINT");
  });

  test("CTL-2: a holder whose key is revoked under it ends with an error", async () => {
    const name = freshName("revoked");
    const holder = start("lock", name, "--ttl=2");
    await holder.nextLine();
    const [kv] = await queued(name, 1);
    await fixture.client.revoke(kv?.lease ?? "0");
    const { code, stderr } = await holder.ended;
    assert.notEqual(code, 0);
    assert.match(stderr, /session expired/);
  });

  test("elect prints key and proposal; --listen tells of the leader and of the next one", async () => {
    const name = freshName("elect");
    const listener = start("elect", "--listen", name);
    const first = start("elect", name, "one");
    const [firstKey = "", proposal] = await first.nextLines(2);
    assert.ok(firstKey.startsWith(`${name}/`));
    assert.equal(proposal, "one");
    assert.deepEqual(await listener.nextLines(2), [firstKey, "one"]);
    const second = start("elect", name, "two");
    await queued(name, 2);
    assert.deepEqual(second.pending, []);
    await first.kill("SIGINT");
    const [secondKey, secondProposal] = await second.nextLines(2);
    assert.equal(secondProposal, "two");
    assert.deepEqual(await listener.nextLines(2), [secondKey, "two"]);
    await second.kill("SIGINT");
    await listener.kill("SIGINT");
  });

  test("ELECT-1: etcdctl elect and the Election service share one queue", async () => {
    const name = freshName("shared-election");
    const first = start("elect", name, "ctl");
    await first.nextLines(2);
    const rpc = fixture.client.campaign(name, await fixture.client.grant(60), "rpc");
    await queued(name, 2);
    assert.equal(rpc.settled, false);
    await first.kill("SIGINT");
    await rpc.response;
  });

  test("a killed leader is followed by the next candidate when its lease (60 s) ends, and not before", async () => {
    const name = freshName("killed-leader");
    const campaignStarted = process.hrtime.bigint();
    const first = start("elect", name, "one");
    await first.nextLines(2);
    const second = start("elect", name, "two");
    await queued(name, 2);
    await first.kill("SIGKILL");
    assert.deepEqual((await second.nextLines(2))[1], "two");
    const passedMs = Number((process.hrtime.bigint() - campaignStarted) / 1_000_000n);
    assert.ok(passedMs >= 60_000, `the second led ${passedMs} ms after the first began`);
    await second.kill("SIGINT");
  });
});
