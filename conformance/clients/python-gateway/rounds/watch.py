"""Watches: order, previous values, history, resuming after a lost connection, compaction."""

import json

from checks import Checks, equal
from connect import call, cut_proxy, decode, encode, fresh_name, plain, revision_of


def run(checks: Checks) -> None:
    checks.run("watch: puts and deletions in order, with previous values", in_order)
    checks.run("watch: from an older revision", from_history)
    checks.run("watch: every answer arrives as a whole chunk when many come at once", many)
    checks.run("watch: resumed after a cut it has every event exactly once", resumes)
    checks.run("watch: a compacted start revision ends it with the compacted revision", compacted)


def in_order() -> None:
    etcd = plain()
    key = fresh_name("order")
    etcd.put(key, "zero")
    events, cancel = etcd.watch_prefix(key, prev_kv=True, start_revision=revision_of(etcd, key) + 1)
    etcd.put(key, "one")
    etcd.delete(key)
    put, deletion = take(events, 2)
    equal((put.get("type", "PUT"), put["kv"]["value"], decode(put["prev_kv"]["value"])), ("PUT", b"one", b"zero"))
    equal((deletion["type"], deletion["kv"]["key"]), ("DELETE", key.encode()))
    equal(decode(deletion["prev_kv"]["value"]), b"one")
    cancel()


def from_history() -> None:
    etcd = plain()
    key = fresh_name("history")
    etcd.put(key, "one")
    first = revision_of(etcd, key)
    etcd.put(key, "two")
    events, cancel = etcd.watch(key, start_revision=first)
    etcd.put(key, "three")
    equal(values(take(events, 3)), [b"one", b"two", b"three"])
    cancel()


def many() -> None:
    """The client parses each chunk of the answer as one JSON value."""
    etcd = plain()
    key = fresh_name("many")
    events, cancel = etcd.watch(key)
    for number in range(100):
        etcd.put(key, str(number))
    equal(values(take(events, 100)), [str(number).encode() for number in range(100)])
    cancel()


def resumes() -> None:
    writer, watcher = plain(), plain("HOLDFAST_PROXY_ENDPOINT")
    prefix = fresh_name("resume/")
    events, _ = watcher.watch_prefix(prefix)
    writer.put(f"{prefix}before", "before")
    seen = take(events, 1)
    cut_proxy()
    writer.put(f"{prefix}while-cut", "while-cut")
    # The client's session notices the lost connections when it is used again; the watch is begun anew.
    events, cancel = watcher.watch_prefix(prefix, start_revision=int(seen[-1]["kv"]["mod_revision"]) + 1)
    writer.put(f"{prefix}after", "after")
    writer.put(f"{prefix}end", "end")
    seen += take(events, 3)
    equal(values(seen), [b"before", b"while-cut", b"after", b"end"])
    cancel()


def compacted() -> None:
    """The client does not show why a watch ended, so the answers are read as they come."""
    etcd = plain()
    key = fresh_name("compacted")
    etcd.put(key, "one")
    first = revision_of(etcd, key)
    etcd.put(key, "two")
    second = revision_of(etcd, key)
    call(etcd, "/kv/compaction", revision=second)
    request = {"create_request": {"key": encode(key), "start_revision": first}}
    with etcd.session.post(etcd.get_url("/watch"), json=request, stream=True, timeout=20) as answer:
        results = (json.loads(line)["result"] for line in answer.iter_lines() if line)
        ended = next(result for result in results if result.get("canceled"))
    equal(ended["compact_revision"], str(second))


def take(events, count: int) -> list:
    """The next events of a watch, as many as asked for."""
    return [next(events) for _ in range(count)]


def values(events: list) -> list:
    return [event["kv"].get("value", b"") for event in events]
