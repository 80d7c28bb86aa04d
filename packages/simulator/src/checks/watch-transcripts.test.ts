/** C9: a right transcript passes; each way to get one wrong is found, with the log and, as far as it can be, without. */
import { test } from "node:test";
import {
  createDeleteRangeRequest,
  createPutRequest,
  createRequestOp,
  createTxnRequest,
  FilterType,
} from "@holdfast/protocol";
import type { WatchRecord } from "../history/watches.js";
import { assertFound, assertRight, bytes, key, momentAt, withoutLog } from "../testing/finding.js";
import { type DraftHistory, HistoryMaker, message } from "../testing/history-maker.js";

const put = (name: string, value: string) => createPutRequest({ key: key(name), value: bytes(value) });
const all = { key: key("a"), rangeEnd: key("z"), prevKv: true };

/** Revisions 2 to 6 with two keys in 4, seen by two watches; the second resumes from revision 3. */
function watched(): DraftHistory {
  const maker = new HistoryMaker();
  const first = maker.watch(8, all);
  const write = (number: number): void => {
    if (number === 3) {
      const operations = ["a", "b"].map((name) => createRequestOp({ requestPut: put(name, `c1-3${name}`) }));
      maker.call(1, "txn", createTxnRequest({ success: operations }));
    } else if (number === 4) maker.call(1, "deleteRange", createDeleteRangeRequest({ key: key("b") }));
    else maker.call(1, "put", put("a", `c1-${number}`));
    maker.deliver(first, maker.machine.revision);
  };
  for (const number of [1, 2, 3, 4, 5]) write(number);
  maker.progress(first);
  const second = maker.watch(9, { ...all, startRevision: 4 });
  for (const revision of [4, 5, 6]) maker.deliver(second, revision);
  first.caughtUp = true;
  second.caughtUp = true;
  const history = maker.history();
  history.watches[1]!.resumedFrom = 3;
  return history;
}

/** What comes of `watched` when the first watch's messages are changed. */
function changed(
  change: (messages: WatchRecord["messages"], watch: DraftHistory["watches"][number]) => void,
): DraftHistory {
  const history = watched();
  change(history.watches[0]!.messages, history.watches[0]!);
  return history;
}

function assertFoundTwice(history: DraftHistory, words: RegExp): void {
  assertFound("C9", history, "I8", words);
  assertFound("C9", withoutLog(history), "I8", words);
}

test("I8, C9: right transcripts pass", () => {
  assertRight("C9", watched());
  assertRight("C9", withoutLog(watched()));
});

test("I8, C9: an event that is left out is found, at the end and in between", () => {
  assertFoundTwice(
    changed((messages) => messages.splice(2, 1)),
    /revision 3 is missing/,
  );
  assertFoundTwice(
    changed((messages) => messages.splice(5, 2)),
    /revision 6 is missing/,
  );
});

test("I8, C9: of one revision, too, nothing may be left out or made up", () => {
  const half = changed((messages) => {
    messages[3] = { ...messages[3]!, events: messages[3]!.events.slice(0, 1) };
  });
  assertFound("C9", half, "I8", /1 events of revision 4, where there are 2/);
  assertFound("C9", withoutLog(half), "I8", /misses .*"b"/);
  const invented = changed((messages) => {
    const event = messages[2]!.events[0]!;
    messages[2] = { ...messages[2]!, events: [event, { ...event, kv: { ...event.kv!, key: key("c") } }] };
  });
  assertFound("C9", invented, "I8", /2 events of revision 3, where there are 1/);
});

test("I8, C9: an event that comes twice, or after a later one, is found", () => {
  assertFoundTwice(
    changed((messages) => messages.splice(3, 0, { ...messages[2]! })),
    /revision 3 is split/,
  );
  assertFoundTwice(
    changed((messages) => messages.splice(4, 0, { ...messages[2]! })),
    /revision 3 came after one of 4/,
  );
});

test("I8, C9: a revision over several messages is found, unless fragments were asked for", () => {
  const split =
    (fragment: boolean) =>
    (messages: WatchRecord["messages"], watch: DraftHistory["watches"][number]): void => {
      const whole = messages[3]!;
      const [first, second] = [whole.events.slice(0, 1), whole.events.slice(1)];
      messages.splice(3, 1, { ...whole, events: first, fragment }, { ...whole, events: second });
      watch.request = { ...watch.request, fragment };
    };
  assertFoundTwice(changed(split(false)), /revision 4 is split/);
  assertRight("C9", changed(split(true)));
  const unasked = changed((messages) => {
    messages[3] = { ...messages[3]!, fragment: true };
  });
  assertFoundTwice(unasked, /fragment came that nobody asked for/);
});

test("I8, C9: wrong previous pairs are found", () => {
  const previous =
    (change: object | undefined) =>
    (messages: WatchRecord["messages"]): void => {
      const event = messages[2]!.events[0]!;
      const prevKv = change === undefined ? undefined : { ...event.prevKv!, ...change };
      messages[2] = { ...messages[2]!, events: [{ ...event, prevKv }] };
    };
  assertFound("C9", changed(previous({ value: bytes("other") })), "I8", /the pair before/);
  assertFound("C9", changed(previous(undefined)), "I8", /the pair before/);
  assertFoundTwice(changed(previous({ version: 4 })), /not the version after/);
  const unasked = changed((_messages, watch) => {
    watch.request = { ...watch.request, prevKv: false };
  });
  assertFoundTwice(unasked, /previous pair came that nobody asked for/);
});

test("I8, C9: a notice of progress that comes too early, or is of the future, is found", () => {
  const early = changed((messages) => messages.splice(2, 0, message(momentAt(20.5), 4, {})));
  assertFoundTwice(early, /revision 3 came after a notice of progress at 4/);
  const future = changed((messages) => messages.splice(2, 0, message(messages[1]!.at, 5, {})));
  assertFound("C9", future, "I8", /notice of progress came at revision 5, but there was only/);
});

test("I8, C9: events from before the start, and of other keys, are found", () => {
  const history = watched();
  history.watches[1]!.request = { ...history.watches[1]!.request, startRevision: 5 };
  assertFoundTwice(history, /begins at revision 5, but got 4/);
  const other = changed((_messages, watch) => {
    watch.request = { ...watch.request, key: key("b") };
  });
  assertFoundTwice(other, /did not ask for/);
  const filtered = changed((_messages, watch) => {
    watch.request = { ...watch.request, filters: [FilterType.NODELETE] };
  });
  assertFoundTwice(filtered, /did not ask for/);
});

test("I8, C9: who resumes misses nothing", () => {
  const history = watched();
  history.watches[1]!.messages.splice(1, 1);
  assertFoundTwice(history, /watch 2 of c9: revision 4 is missing/);
});

test("I1, C9: an event that comes before it is stored is found", () => {
  const history = changed((messages) => {
    messages[2] = { ...messages[2]!, at: momentAt(3.5) };
  });
  assertFound("C9", history, "I8", /got revision 3 before that was stored/);
});

test("I8, C9: compaction ends a watch that needs what is gone, and no other", () => {
  const maker = new HistoryMaker();
  for (const number of [1, 2, 3]) maker.call(1, "put", put("a", `c1-${number}`));
  maker.call(1, "compact", { revision: 3, physical: false });
  const watch = maker.watch(8, { ...all, startRevision: 2 });
  const overtaken = message(maker.moment(), 0, { canceled: true, compactRevision: 3 });
  watch.messages.push(overtaken);
  assertRight("C9", maker.history());
  assertRight("C9", withoutLog(maker.history()));
  const needless = maker.history();
  needless.watches[0]!.request = { ...needless.watches[0]!.request, startRevision: 3 };
  assertFoundTwice(needless, /compaction to 3, but needed 3 next/);
  const silent = maker.history();
  silent.watches[0]!.messages.splice(1, 1, { ...overtaken, revision: 4, canceled: false, compactRevision: 0 });
  silent.watches[0]!.messages.push(message(maker.moment(), 4, { events: [maker.events[2]!] }));
  assertFoundTwice(silent, /got events from revision 2 on, after a compaction to 3/);
  const invented = maker.history();
  invented.watches[0]!.messages[1] = { ...overtaken, compactRevision: 4 };
  assertFound("C9", invented, "I8", /compaction to 4, but only 3 was/);
});

test("I8, C9: nothing comes after the end", () => {
  const history = changed((messages) => messages.splice(1, 0, message(momentAt(2.5), 1, { canceled: true })));
  assertFoundTwice(history, /something came after the watch had been cancelled/);
});
