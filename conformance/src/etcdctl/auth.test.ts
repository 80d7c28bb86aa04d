// The real etcdctl with users, roles and authentication.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { freshName, skipWithout, useServer } from "../fixture.js";
import { CtlProcess, ctl, ctlError, runCtl } from "./ctl.js";

/** Hashes passwords in a moment; how they are hashed is not what these tests are about. */
const args = ["--bcrypt-cost", "4"];
const root = "--user=root:root";

describe("etcdctl: user and role", { skip: skipWithout("etcdctl") }, () => {
  const fixture = useServer({ args });

  const run = (...words: readonly string[]) => ctl(fixture.server.endpoint, words);
  const runError = (...words: readonly string[]) => ctlError(fixture.server.endpoint, words);

  test("user add, list, get and delete", async () => {
    const names = [freshName("user"), freshName("user"), freshName("user")] as const;
    assert.equal(await run("user", "add", `${names[0]}:secret`), `User ${names[0]} created`);
    assert.equal(await run("user", "add", names[1], "--new-user-password", "secret"), `User ${names[1]} created`);
    assert.equal(await run("user", "add", names[2], "--no-password"), `User ${names[2]} created`);
    const listed = (await run("user", "list")).split("\n");
    assert.deepEqual(
      listed.filter((name) => names.includes(name)),
      names,
    );
    assert.equal(await run("user", "get", names[0]), `User: ${names[0]}\nRoles:`);
    assert.equal(await runError("user", "add", `${names[0]}:x`), "Error: etcdserver: user name already exists");
    assert.equal(await run("user", "delete", names[0]), `User ${names[0]} deleted`);
    assert.equal(await runError("user", "delete", names[0]), "Error: etcdserver: user name not found");
    assert.equal(await runError("user", "get", names[0]), "Error: etcdserver: user name not found");
  });

  test("role add, list, grant-permission, get, revoke-permission and delete", async () => {
    const role = freshName("role");
    const grant = (...words: readonly string[]) => run("role", "grant-permission", role, ...words);
    assert.equal(await run("role", "add", role), `Role ${role} created`);
    assert.equal(await runError("role", "add", role), "Error: etcdserver: role name already exists");
    assert.equal(await grant("readwrite", "a", "c"), `Role ${role} updated`);
    assert.equal(await grant("read", "k", "--prefix"), `Role ${role} updated`);
    assert.equal(await grant("write", "z", "--from-key"), `Role ${role} updated`);
    assert.equal(await grant("read", "single"), `Role ${role} updated`);
    const read = ["KV Read:", "\t[a, c)", "\t[k, l) (prefix k)", "\tsingle"];
    const write = ["KV Write:", "\t[a, c)", "\t[z, <open ended>"];
    assert.equal(await run("role", "get", role), [`Role ${role}`, ...read, ...write].join("\n"));
    assert.ok((await run("role", "list")).split("\n").includes(role));
    const revoke = ["role", "revoke-permission", role, "a", "c"];
    assert.equal(await run(...revoke), `Permission of range [a, c) is revoked from role ${role}`);
    assert.equal(await runError(...revoke), "Error: etcdserver: permission is not granted to the role");
    assert.equal(await run("role", "delete", role), `Role ${role} deleted`);
    assert.equal(await runError("role", "get", role), "Error: etcdserver: role name not found");
  });

  test("user grant-role, get --detail and revoke-role", async () => {
    const [user, role] = [freshName("user"), freshName("role")];
    await run("user", "add", `${user}:secret`);
    assert.equal(await runError("user", "grant-role", user, role), "Error: etcdserver: role name not found");
    await run("role", "add", role);
    await run("role", "grant-permission", role, "read", "a");
    assert.equal(await run("user", "grant-role", user, role), `Role ${role} is granted to user ${user}`);
    assert.equal(await run("user", "get", user), `User: ${user}\nRoles: ${role}`);
    const detail = await run("user", "get", user, "--detail");
    assert.ok(detail.includes(`Role ${role}\nKV Read:\n\ta\nKV Write:`), detail);
    assert.equal(await run("user", "revoke-role", user, role), `Role ${role} is revoked from user ${user}`);
    const notGranted = "Error: etcdserver: role is not granted to the user";
    assert.equal(await runError("user", "revoke-role", user, role), notGranted);
  });
});

describe("etcdctl: authentication", { skip: skipWithout("etcdctl") }, () => {
  const fixture = useServer({ args });

  const run = (...words: readonly string[]) => ctl(fixture.server.endpoint, words);
  const runError = (...words: readonly string[]) => ctlError(fixture.server.endpoint, words);
  const denied = "Error: etcdserver: permission denied";
  const ann = "--user=ann:secret";

  before(async () => {
    for (const name of ["root:root", "ann:secret"]) {
      await run("user", "add", name);
    }
    await run("role", "add", "letters");
    await run("role", "grant-permission", "letters", "readwrite", "a", "d");
    await run("user", "grant-role", "ann", "letters");
    assert.match(await run("auth", "status"), /^Authentication Status: false\nAuthRevision: \d+$/);
    // CTL-4: it gives root its role by itself.
    assert.equal(await run("auth", "enable"), "Authentication Enabled");
  });

  test("auth status and enable, and who is nobody", async () => {
    assert.match(await run(root, "auth", "status"), /^Authentication Status: true\nAuthRevision: \d+$/);
    assert.match(await run("auth", "status"), /^Authentication Status: true\n/);
    assert.equal(await run(root, "auth", "enable"), "Authentication Enabled");
    const nobody = "Error: etcdserver: user name is empty";
    assert.equal(await runError("auth", "enable"), nobody);
    assert.equal(await runError("put", "a", "1"), nobody);
    assert.equal(await runError("get", "a"), nobody);
    assert.match(await runError("lease", "grant", "60"), /etcdserver: user name is empty/);
    assert.equal(await run(root, "user", "get", "root"), "User: root\nRoles: root");
    assert.match(await run(root, "role", "get", "root"), /^Role root\nKV Read:\n\t\[, <open ended>\nKV Write:\n/);
  });

  test("AUTH-7: a wrong password", async () => {
    const wrong = "Error: etcdserver: authentication failed, invalid user ID or password";
    assert.equal(await runError("--user=ann", "--password=wrong", "get", "a"), wrong);
    assert.equal(await runError("--user=nobody:x", "get", "a"), wrong);
    assert.equal((await runCtl(fixture.server.endpoint, ["--user=ann:x", "get", "a"])).code, 2);
  });

  test("AUTH-16: a user reads and writes what its roles grant", async () => {
    assert.equal(await run(ann, "put", "a", "1"), "OK");
    assert.equal(await run("--user=ann", "--password=secret", "get", "a", "c"), "a\n1");
    assert.equal(await runError(ann, "get", "z"), denied);
    assert.equal(await runError(ann, "get", "", "--prefix"), denied);
    assert.equal(await runError(ann, "put", "d", "1"), denied);
    const txn = (failure: string) => ({ input: `value("a") = "1"\n\nput b 2\n\n${failure}\n\n` });
    assert.equal(await ctl(fixture.server.endpoint, [ann, "txn"], txn("get a")), "SUCCESS\n\nOK");
    assert.equal(await ctlError(fixture.server.endpoint, [ann, "txn"], txn("put z 3")), denied);
    assert.equal(await run(ann, "del", "a"), "1");
    assert.equal(await runError(ann, "compaction", "1"), denied);
    assert.equal(await runError(ann, "user", "list"), denied);
    assert.match(await runError(ann, "defrag"), /permission denied|Failed to defragment/);
  });

  test("CTL-2: lock and elect with a user's rights", async () => {
    assert.equal(await run(ann, "lock", "b/lock", "echo", "held"), "held");
    assert.match(await runError(ann, "lock", "x/lock", "echo", "held"), /permission denied/);
    const leader = new CtlProcess(fixture.server.endpoint, [ann, "elect", "b/election", "me"]);
    assert.match(await leader.nextLine(), /^b\/election\/[0-9a-f]+$/);
    assert.equal(await leader.nextLine(), "me");
    await leader.kill("SIGINT");
  });

  test("watch with a user's rights", async () => {
    const watcher = new CtlProcess(fixture.server.endpoint, [ann, "watch", "c", "--rev", "1"]);
    await run(ann, "put", "c", "1");
    assert.deepEqual(await watcher.nextLines(3), ["PUT", "c", "1"]);
    await watcher.kill("SIGINT");
    const { stdout, stderr } = await runCtl(fixture.server.endpoint, [ann, "watch", "x"]);
    assert.match(stdout + stderr, /permission denied/);
  });

  test("CTL-3: endpoint health counts a denied key as healthy; status and member list for any user", async () => {
    assert.match(await run(ann, "endpoint", "health"), / is healthy/);
    assert.match(await run(ann, "endpoint", "status"), /^127\.0\.0\.1:\d+, /);
    assert.match(await run(ann, "member", "list"), /, started, /);
    assert.match(await runError(ann, "endpoint", "hashkv"), /./);
    assert.match(await run(root, "endpoint", "hashkv"), /, \d+, \d+$/);
    assert.equal(await run(root, "alarm", "list"), "");
  });

  test("lease grant, keep-alive and revoke with a user's rights", async () => {
    const id = / ([0-9a-f]+) /.exec(await run(ann, "lease", "grant", "60"))?.[1] ?? "";
    assert.equal(await run(ann, "put", "b/leased", "1", `--lease=${id}`), "OK");
    assert.equal(await run(ann, "lease", "keep-alive", "--once", id), `lease ${id} keepalived with TTL(60)`);
    assert.equal(await run(root, "put", "z", "1", `--lease=${id}`), "OK");
    assert.equal(
      await runError(ann, "lease", "revoke", id),
      `Error: failed to revoke lease (etcdserver: permission denied)`,
    );
    assert.equal(await run(root, "lease", "revoke", id), `lease ${id} revoked`);
    assert.equal(await run(ann, "get", "b/leased"), "");
  });

  test("user passwd", async () => {
    await run(root, "user", "add", "bob:old");
    const changed = await ctl(fixture.server.endpoint, [root, "user", "passwd", "bob", "--interactive=false"], {
      input: "new\n",
    });
    assert.equal(changed, "Password updated");
    assert.equal(await runError("--user=bob:new", "get", "a"), denied);
    assert.match(await runError("--user=bob:old", "get", "a"), /authentication failed/);
  });

  test("AUTH-5: root cannot be taken away", async () => {
    const stays = "Error: etcdserver: invalid auth management";
    assert.equal(await runError(root, "user", "delete", "root"), stays);
    assert.equal(await runError(root, "role", "delete", "root"), stays);
    assert.equal(await runError(root, "user", "revoke-role", "root", "root"), stays);
  });

  test("auth disable", async () => {
    assert.equal(await runError("auth", "disable"), "Error: etcdserver: user name is empty");
    assert.equal(await runError(ann, "auth", "disable"), denied);
    assert.equal(await run(root, "auth", "disable"), "Authentication Disabled");
    assert.match(await run("auth", "status"), /^Authentication Status: false\n/);
    assert.equal(await run("put", "z", "1"), "OK");
    // CLI-4: with a name and a password, but nobody to ask for it, it goes on without a token.
    assert.equal(await run(ann, "get", "z"), "z\n1");
  });
});
