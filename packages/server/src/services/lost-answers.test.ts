/** F23, F24: an answer that is lost, and a call that is given up while the log is busy, undo nothing and do nothing twice. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  CompareTarget,
  createCompare,
  createPutRequest,
  createRequestOp,
  etcdErrors,
  kvService,
  leaseService,
  StatusCode,
} from "@holdfast/protocol";
import { GatedLog } from "../testing/gated-log.js";
import { Services, until } from "../testing/services.js";
import { rejectsAs } from "../testing/status-error.js";
import { byteString } from "../testing/test-client.js";

interface Gated {
  readonly log: GatedLog;
  readonly services: Services;
}

async function gated(t: TestContext): Promise<Gated> {
  const log = await GatedLog.open();
  return { log, services: await Services.start(t, { log }) };
}

test("F23, I9: a write whose answer is lost is there once; who looks by revision does not make it twice", async (t) => {
  const { log, services } = await gated(t);
  const lost = await services.connect();
  log.hold();
  const put = lost.put("a", "1").catch(() => "no answer");
  const grant = lost.grant(7n).catch(() => "no answer");
  await until(() => services.replica.waitingProposals === 2);
  lost.grpc.destroy();
  assert.deepEqual(await Promise.all([put, grant]), ["no answer", "no answer"]);
  log.release();
  await until(() => services.replica.waitingProposals === 0);
  const client = await services.connect();
  // That of a key that was never made: create revision 0.
  const neverMade = createCompare({ key: byteString("a"), target: CompareTarget.CREATE, createRevision: 0 });
  const success = [createRequestOp({ requestPut: createPutRequest({ key: byteString("a") }) })];
  const { succeeded } = await client.call(kvService.methods.txn, { compare: [neverMade], success });
  assert.equal(succeeded, false);
  const found = await client.get("a");
  assert.deepEqual([found?.version, Buffer.from(found?.value ?? []).toString()], [1, "1"]);
  await rejectsAs(client.grant(7n), etcdErrors.leaseExist);
});

test("F24, I9: a write that is cancelled while the log is busy is not undone, and takes effect once", async (t) => {
  const { log, services } = await gated(t);
  const client = await services.connect();
  log.hold();
  const request = kvService.methods.put.request.encode(createPutRequest({ key: byteString("a") }));
  const giveUp = new AbortController();
  const put = client.unary(kvService.methods.put.path, request, { signal: giveUp.signal });
  await until(() => services.replica.waitingProposals === 1);
  giveUp.abort();
  await assert.rejects(put, { code: StatusCode.cancelled });
  assert.equal(services.replica.waitingProposals, 1);
  log.release();
  await until(() => services.replica.waitingProposals === 0);
  assert.equal((await client.get("a"))?.version, 1);
});

test("F22: what one connection grants another renews; closing either ends nothing", async (t) => {
  const services = await Services.start(t);
  const [first, second] = [await services.connect(), await services.connect()];
  await first.grant(1n, 600);
  await first.put("a", "", 1n);
  first.grpc.destroy();
  const keepAlive = second.open(leaseService.methods.leaseKeepAlive);
  keepAlive.send({ id: 1n });
  assert.equal((await keepAlive.next()).ttl, 600);
  second.grpc.destroy();
  const third = await services.connect();
  assert.equal((await third.get("a"))?.lease, 1n);
});
