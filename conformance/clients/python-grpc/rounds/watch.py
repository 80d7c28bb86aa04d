"""Watches: order, previous values, history, resuming after a lost connection, compaction."""

import pyetcd
from pyetcd.events import DeleteEvent, PutEvent
from pyetcd.exceptions import ConnectionFailedError, RevisionCompactedError

from checks import Checks, equal
from connect import cut_proxy, fresh_name, plain


def run(checks: Checks) -> None:
    checks.run("watch: puts and deletions in order, with previous values", in_order)
    checks.run("watch: from an older revision", from_history)
    checks.run("watch: resumed after a cut it has every event exactly once", resumes)
    checks.run("watch: a compacted start revision ends it with the compacted revision", compacted)


def in_order() -> None:
    with plain() as etcd:
        key = fresh_name("order")
        events, cancel = etcd.watch_prefix(key, prev_kv=True)
        etcd.put(key, "one")
        etcd.put(key, "two")
        etcd.delete(key)
        seen = [(type(event), event.value, event.prev_value) for event in take(events, 3)]
        equal(seen, [(PutEvent, b"one", b""), (PutEvent, b"two", b"one"), (DeleteEvent, b"", b"two")])
        cancel()


def from_history() -> None:
    with plain() as etcd:
        key = fresh_name("history")
        first = etcd.put(key, "one").header.revision
        etcd.put(key, "two")
        events, cancel = etcd.watch(key, start_revision=first)
        etcd.put(key, "three")
        equal([event.value for event in take(events, 3)], [b"one", b"two", b"three"])
        cancel()


def resumes() -> None:
    prefix = fresh_name("resume/")
    with plain() as writer, plain("HOLDFAST_PROXY_ENDPOINT") as watcher:
        first = writer.put(f"{prefix}before", "before").header.revision
        events, _ = watcher.watch_prefix(prefix, start_revision=first)
        seen = take(events, 1)
        cut_proxy()
        writer.put(f"{prefix}while-cut", "while-cut")
        # The client ends a watch whose connection is lost; whoever watches goes on behind the last event.
        lost = False
        try:
            next(events)
        except ConnectionFailedError:
            lost = True
        equal(lost, True)
        events, cancel = watch_again(watcher, prefix, seen[-1].mod_revision + 1)
        writer.put(f"{prefix}after", "after")
        writer.put(f"{prefix}end", "end")
        seen += take(events, 3)
        equal([event.value for event in seen], [b"before", b"while-cut", b"after", b"end"])
        cancel()


def watch_again(watcher: pyetcd.MultiEndpointEtcd3Client, prefix: str, revision: int) -> tuple:
    """Watches from this revision; more than one try may be needed while the connection is made anew."""
    for _ in range(5):
        try:
            return watcher.watch_prefix(prefix, start_revision=revision)
        except ConnectionFailedError:
            continue
    return watcher.watch_prefix(prefix, start_revision=revision)


def compacted() -> None:
    with plain() as etcd:
        key = fresh_name("compacted")
        first = etcd.put(key, "one").header.revision
        second = etcd.put(key, "two").header.revision
        etcd.compact(second)
        events, _ = etcd.watch(key, start_revision=first)
        try:
            next(events)
        except RevisionCompactedError as error:
            equal(error.compacted_revision, second)
        else:
            raise AssertionError("the watch delivered an event")


def take(events, count: int) -> list:
    """The next events of a watch, as many as asked for."""
    return [next(events) for _ in range(count)]
