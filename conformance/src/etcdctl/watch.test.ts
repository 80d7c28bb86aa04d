// The real etcdctl watching the server under test, alone and in interactive mode.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { revisionOf } from "../client/etcd-client.js";
import { freshName, skipWithout, useServer } from "../fixture.js";
import { CtlProcess } from "./ctl.js";

describe("etcdctl: watch", { skip: skipWithout("etcdctl") }, () => {
  const fixture = useServer();

  /** Runs `etcdctl watch` with these arguments while `use` reads it, and kills it afterwards. */
  async function watching(args: readonly string[], use: (watch: CtlProcess) => Promise<void>): Promise<void> {
    const watch = new CtlProcess(fixture.server.endpoint, ["watch", ...args]);
    try {
      await use(watch);
    } finally {
      await watch.kill("SIGKILL");
    }
  }

  /** The revision from which on a watch that starts late still sees everything this test writes. */
  const nextRevision = async (): Promise<string> => String((await fixture.client.revision()) + 1);

  test("watch --rev prints the history and then what happens", async () => {
    const key = freshName("history");
    const first = revisionOf(await fixture.client.put(key, "one"));
    await fixture.client.put(key, "two");
    await watching([key, `--rev=${first}`], async (watch) => {
      assert.deepEqual(await watch.nextLines(6), ["PUT", key, "one", "PUT", key, "two"]);
      await fixture.client.put(key, "three");
      assert.deepEqual(await watch.nextLines(3), ["PUT", key, "three"]);
      await fixture.client.delete(key);
      assert.deepEqual(await watch.nextLines(2), ["DELETE", key]);
    });
  });

  test("watch --prefix", async () => {
    const prefix = `${freshName("prefix")}/`;
    await watching([prefix, "--prefix", `--rev=${await nextRevision()}`], async (watch) => {
      await fixture.client.put(`${prefix}a`, "1");
      await fixture.client.put("elsewhere", "x");
      await fixture.client.put(`${prefix}b`, "2");
      assert.deepEqual(await watch.nextLines(6), ["PUT", `${prefix}a`, "1", "PUT", `${prefix}b`, "2"]);
    });
  });

  test("watch with a range end", async () => {
    const prefix = `${freshName("range")}/`;
    await watching([`${prefix}a`, `${prefix}c`, `--rev=${await nextRevision()}`], async (watch) => {
      for (const letter of ["c", "b", "a"]) {
        await fixture.client.put(prefix + letter, "x");
      }
      assert.deepEqual(await watch.nextLines(6), ["PUT", `${prefix}b`, "x", "PUT", `${prefix}a`, "x"]);
    });
  });

  test("watch --prev-kv prints the key-value before", async () => {
    const key = freshName("previous");
    await watching([key, "--prev-kv", `--rev=${await nextRevision()}`], async (watch) => {
      await fixture.client.put(key, "one");
      await fixture.client.put(key, "two");
      await fixture.client.delete(key);
      assert.deepEqual(await watch.nextLines(3), ["PUT", key, "one"]);
      assert.deepEqual(await watch.nextLines(5), ["PUT", key, "one", key, "two"]);
      assert.deepEqual(await watch.nextLines(4), ["DELETE", key, "two", key]);
    });
  });

  test("watch runs a command for each event", async () => {
    const key = freshName("command");
    const command = ["--", "sh", "-c", "echo $ETCD_WATCH_EVENT_TYPE $ETCD_WATCH_KEY $ETCD_WATCH_VALUE"];
    await watching([`--rev=${await nextRevision()}`, key, ...command], async (watch) => {
      await fixture.client.put(key, "one");
      assert.deepEqual(await watch.nextLines(4), ["PUT", key, "one", `"PUT" "${key}" "one"`]);
    });
  });

  test("watch from a compacted revision says so", async () => {
    const key = freshName("compacted");
    const first = revisionOf(await fixture.client.put(key, "one"));
    const revision = revisionOf(await fixture.client.put(key, "two"));
    await fixture.client.call("etcdserverpb.KV/Compact", { revision });
    const { code, stderr } = await new CtlProcess(fixture.server.endpoint, ["watch", key, `--rev=${first}`]).ended;
    assert.notEqual(code, 0);
    assert.match(stderr, /watch was canceled \(etcdserver: mvcc: required revision has been compacted\)/);
  });

  test("watch -w json carries revisions", async () => {
    const key = freshName("json");
    await watching([key, `--rev=${await nextRevision()}`, "-w", "json"], async (watch) => {
      const { header } = await fixture.client.put(key, "one");
      const response = JSON.parse(await watch.nextLine());
      const event = response.Events[0];
      assert.equal(Buffer.from(event.kv.key, "base64").toString(), key);
      assert.equal(event.kv.mod_revision, Number(header?.revision));
      assert.equal(response.Header.revision, Number(header?.revision));
    });
  });

  test("interactive: several watches on one connection, and progress", async () => {
    const [one, two] = [freshName("interactive"), freshName("interactive")];
    await watching(["--interactive"], async (watch) => {
      const rev = await nextRevision();
      watch.write(`watch --rev=${rev} ${one}\n`);
      watch.write(`watch --rev=${rev} ${two}\n`);
      await fixture.client.put(one, "1");
      assert.deepEqual(await watch.nextLines(3), ["PUT", one, "1"]);
      const put = await fixture.client.put(two, "2");
      assert.deepEqual(await watch.nextLines(3), ["PUT", two, "2"]);
      // Silence means "not caught up": a client asks again.
      const asking = setInterval(() => watch.write("progress\n"), 50);
      const line = await watch.nextLine();
      clearInterval(asking);
      const progress = /^progress notify: (\d+)$/.exec(line);
      assert.ok(progress !== null, line);
      assert.ok(Number(progress[1]) >= revisionOf(put));
    });
  });

  test("a watch goes on after the server's restart, without gap or repeat", async () => {
    const key = freshName("resume");
    await watching([key, `--rev=${await nextRevision()}`], async (watch) => {
      await fixture.client.put(key, "before");
      assert.deepEqual(await watch.nextLines(3), ["PUT", key, "before"]);
      await fixture.server.kill("SIGKILL");
      await fixture.server.restart();
      const client = fixture.newClient();
      await client.put(key, "after");
      await client.put(key, "last");
      assert.deepEqual(await watch.nextLines(6), ["PUT", key, "after", "PUT", key, "last"]);
    });
  });
});
