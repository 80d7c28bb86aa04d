// TLS with a client certificate: the server proves itself, and so must the client.

import assert from "node:assert/strict";
import { GRPCUnavailableError } from "etcd3";
import { fileOf, freshName, variable } from "../environment.mjs";

export async function tlsRound(checks) {
  const endpoint = `https://${variable("HOLDFAST_TLS_ENDPOINT")}`;
  const rootCertificate = fileOf("HOLDFAST_TLS_CA");
  const everything = {
    rootCertificate,
    privateKey: fileOf("HOLDFAST_TLS_KEY"),
    certChain: fileOf("HOLDFAST_TLS_CERT"),
  };
  const run = (words, body) => checks.run(words, (open) => body((options) => open(endpoint, options)));

  await run("tls: put and get with a client certificate", (open) => putAndGet(open({ credentials: everything })));
  await run("tls: a watch and a lease over it", (open) => watchAndLease(open({ credentials: everything })));
  await run("tls: refused without a client certificate", async (open) => {
    await answered(open({ credentials: everything }));
    await refused(open({ credentials: { rootCertificate } }));
  });
  await run("tls: the client refuses a server of an unknown authority", async (open) => {
    await answered(open({ credentials: everything }));
    await refused(open({}));
  });
}

async function putAndGet(etcd) {
  const key = freshName("tls");
  await etcd.put(key).value("secret");
  assert.equal(await etcd.get(key).string(), "secret");
}

async function watchAndLease(etcd) {
  const key = freshName("tls-watch");
  const watcher = await etcd.watch().key(key).create();
  const put = new Promise((resolve) => watcher.once("put", resolve));
  const deleted = new Promise((resolve) => watcher.once("delete", resolve));
  const lease = etcd.lease(10);
  await lease.put(key).value("held");
  assert.equal((await put).value.toString(), "held");
  await lease.revoke();
  await deleted;
  await watcher.cancel();
}

/** The server is there, so that what follows is refused and not merely unanswered. */
async function answered(etcd) {
  assert.equal(await etcd.get(freshName("answered")).exists(), false);
}

/** The connection fails, which the client reports as the server being unavailable. */
async function refused(etcd) {
  await assert.rejects(etcd.get(freshName("refused")).string(), GRPCUnavailableError);
}
