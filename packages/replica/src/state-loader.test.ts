import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore, openMemoryLog } from "@holdfast/log";
import { createPutRequest, encodeKeyValue } from "@holdfast/protocol";
import { encodeCommand, SnapshotFormatError } from "@holdfast/state-machine";
import { UnreadableEntryError } from "./batch.js";
import { Replica } from "./replica.js";
import { StateLoader } from "./state-loader.js";
import { byteString } from "./testing/harness.js";
import { ManualEnvironment } from "./testing/manual-environment.js";

/** A log with keys before and behind a snapshot. */
async function filledStore(snapshots: number): Promise<MemoryStore> {
  const store = new MemoryStore();
  const environment = new ManualEnvironment();
  const replica = await Replica.start({ log: await openMemoryLog({ store }), environment, onFatal: assert.fail });
  for (let round = 0; round <= snapshots; round++) {
    for (let key = 0; key < 10; key++) await put(replica, environment, `k${key}`, `${round}`);
    if (round < snapshots) await replica.snapshot();
  }
  await replica.close();
  return store;
}

function put(replica: Replica, environment: ManualEnvironment, key: string, value: string): Promise<unknown> {
  const request = createPutRequest({ key: byteString(key), value: Uint8Array.from(Buffer.from(value)) });
  const put = new Promise((resolve, reject) => {
    replica.propose({ kind: "put", request }, { settled: resolve, failed: reject });
  });
  environment.runDeferred();
  return put;
}

test("I11: the state read while the log was opened is the state read afterwards, and is not read again", async () => {
  for (const snapshots of [0, 1, 2]) {
    const store = await filledStore(snapshots);
    const state = new StateLoader();
    const log = await openMemoryLog({ store, reader: state });
    assert.ok(state.hasRead(log));
    const afterwards = new StateLoader();
    assert.ok(!afterwards.hasRead(log));
    await afterwards.read(log);
    const [now, then] = [state.finish(), afterwards.finish()];
    assert.equal(now.replayedBytes, then.replayedBytes);
    assert.deepEqual([now.machine.revision, now.machine.keyCount], [10 * (snapshots + 1) + 1, 10]);
    const pair = (loaded: typeof now) => encodeKeyValue(loaded.machine.get(byteString("k3"))!);
    assert.deepEqual(pair(now), pair(then));
    log.replay = () => assert.fail("read again");
    const options = { log, state, environment: new ManualEnvironment(), onFatal: assert.fail };
    const replica = await Replica.start(options);
    assert.equal(replica.machine, now.machine);
    await replica.close();
  }
});

test("what was begun anew, after a snapshot that turned out to be damaged, leaves nothing of it behind", () => {
  const state = new StateLoader();
  const payload = (key: string): Uint8Array => {
    const command = encodeCommand({ kind: "put", request: createPutRequest({ key: byteString(key) }) });
    const head = Buffer.alloc(5, 1);
    head.writeUInt32LE(command.length, 1);
    return Buffer.concat([head, command]);
  };
  state.begin(7);
  assert.throws(() => state.chunk(Uint8Array.of(1)), SnapshotFormatError);
  state.begin(0);
  state.entry({ index: 1, epoch: 1, payload: payload("a") });
  state.begin(0);
  state.entry({ index: 1, epoch: 1, payload: payload("b") });
  const { machine } = state.finish();
  assert.deepEqual([machine.get(byteString("a")), machine.get(byteString("b"))?.version], [undefined, 1]);
});

test("nothing of an entry is looked at again once it was applied", () => {
  const state = new StateLoader();
  state.begin(0);
  const scratch = Buffer.alloc(1000);
  const value = (index: number) => Uint8Array.from(Buffer.alloc(100, index));
  for (let index = 1; index <= 3; index++) {
    const request = createPutRequest({
      key: byteString(`a key of more than a few bytes ${index}`),
      value: value(index),
    });
    const command = encodeCommand({ kind: "put", request });
    scratch.writeUInt8(1);
    scratch.writeUInt32LE(command.length, 1);
    scratch.set(command, 5);
    state.entry({ index, epoch: 1, payload: scratch.subarray(0, 5 + command.length) });
    scratch.fill(0xff);
  }
  const { machine } = state.finish();
  for (let index = 1; index <= 3; index++) {
    assert.deepEqual(machine.get(byteString(`a key of more than a few bytes ${index}`))?.value, value(index));
  }
});

test("F61: an entry that cannot be read ends the opening of the log", async () => {
  const store = new MemoryStore();
  const log = await openMemoryLog({ store });
  await log.acquire();
  await new Promise((resolve) => log.append(Uint8Array.of(99), resolve));
  await log.close();
  await assert.rejects(openMemoryLog({ store, reader: new StateLoader() }), UnreadableEntryError);
  await (await openMemoryLog({ store })).close();
});
