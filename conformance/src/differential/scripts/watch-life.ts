// WATCH-13 to WATCH-16: how watchers and their streams end, and what does not end them.

import { everything, putKeys } from "../phrases.js";
import { script } from "../script.js";

/** The scripts of this section. */
export const scripts = [
  script("WATCH-13", "a cancel is answered; no event of that watcher follows; its id is free again", async (s) => {
    const stream = await s.watch({ key: "a", watch_id: 7 });
    stream.send({ create_request: { key: "b", watch_id: 8 } });
    await stream.next();
    await putKeys(s, "a");
    (await stream.next()).shows({ watch_id: 7 });
    stream.send({ cancel_request: { watch_id: 7 } });
    const gone = { watch_id: 7, canceled: true, created: false, cancel_reason: "", compact_revision: 0, events: [] };
    (await stream.next()).shows({ ...gone, header: { revision: 2 } });
    await putKeys(s, "a", "b");
    (await stream.next()).shows({ watch_id: 8, header: { revision: 4 } });
    stream.send({ create_request: { key: "a", watch_id: 7 } });
    (await stream.next()).shows({ watch_id: 7, created: true, canceled: false });
    await putKeys(s, "a");
    (await stream.next()).shows({ watch_id: 7, header: { revision: 5 } });
  }),
  script("WATCH-13", "a watcher of the future, of ranges, and one that was given its history", async (s) => {
    await putKeys(s, "a", "b");
    const stream = await s.watch({ key: "a", start_revision: 99 });
    stream.send({ create_request: { key: "a", range_end: "c", start_revision: 1 } });
    await stream.take(2);
    for (const id of [0, 1]) {
      stream.send({ cancel_request: { watch_id: id } });
      (await stream.next()).shows({ watch_id: id, canceled: true, header: { revision: 3 } });
    }
    await putKeys(s, "a");
    stream.send({ create_request: { key: "z" } });
    (await stream.next()).shows({ watch_id: 2, created: true, header: { revision: 4 } });
  }),
  script("WATCH-14", "a cancel of an unknown id is not answered", async (s) => {
    const stream = await s.watch({ key: "a" });
    for (const id of [1, -1, 99]) {
      stream.send({ cancel_request: { watch_id: id } });
    }
    stream.send({ cancel_request: { watch_id: 0 } });
    (await stream.next()).shows({ watch_id: 0, canceled: true });
    stream.send({ cancel_request: { watch_id: 0 } });
    stream.send({ create_request: { key: "a" } });
    (await stream.next()).shows({ watch_id: 1, created: true });
  }),
  script("WATCH-15", "a request of nothing is ignored", async (s) => {
    const stream = s.stream("etcdserverpb.Watch/Watch");
    stream.send({});
    stream.send(new Uint8Array());
    stream.send({ create_request: everything });
    (await stream.next()).shows({ watch_id: 0, created: true });
    stream.send({});
    await putKeys(s, "a");
    (await stream.next()).shows({ events: [{ kv: { key: "a" } }] });
  }),
  script("WATCH-15", "of several members the last one counts", async (s) => {
    const stream = s.stream("etcdserverpb.Watch/Watch");
    const cancel = Uint8Array.of(0x12, 0x02, 0x08, 0x05);
    const create = Uint8Array.of(0x0a, 0x03, 0x0a, 0x01, 0x61);
    stream.send(Buffer.concat([cancel, create]));
    (await stream.next()).shows({ watch_id: 0, created: true });
    stream.send(Buffer.concat([create, Uint8Array.of(0x12, 0x00)]));
    (await stream.next()).shows({ watch_id: 0, canceled: true });
  }),
  script("WATCH-16", "a half-close ends the asking, not the events", async (s) => {
    const stream = await s.watch({ key: "a" });
    stream.halfClose();
    for (const revision of [2, 3, 4]) {
      await putKeys(s, "a");
      (await stream.next()).shows({ header: { revision } });
    }
    const asked = s.stream("etcdserverpb.Watch/Watch", { create_request: { key: "a", start_revision: 2 } });
    (await asked.next()).shows({ created: true });
    await asked.events(3);
    await s.deleteRange("a");
    (await asked.next()).shows({ events: [{ type: "DELETE" }] });
    (await stream.next()).shows({ events: [{ type: "DELETE" }] });
  }),
  script("WATCH-16", "a stream that was opened and half-closed without a request stays open", async (s) => {
    const silent = s.stream("etcdserverpb.Watch/Watch");
    silent.halfClose();
    const watch = await s.watch({ key: "a" });
    await putKeys(s, "a");
    await watch.next();
    silent.cancel();
    s.equal((await silent.end()).status, "CANCELLED BY THE CLIENT");
  }),
];
