"""Keys: values, ranges, history, deletion, compaction, transactions."""

import grpc

from checks import Checks, Task, equal, refused
from connect import fresh_name, plain


def run(checks: Checks) -> None:
    checks.run("kv: put and get bytes as they are", put_and_get)
    checks.run("kv: a prefix in key order, and sorted otherwise", prefix)
    checks.run("kv: get at an older revision", history)
    checks.run("kv: delete a key and a prefix", deletion)
    checks.run("kv: a compacted revision is refused as out of range", compaction)
    checks.run("txn: the then branch and the else branch", branches)
    checks.run("txn: of four clients that create one key, one wins", race)


def put_and_get() -> None:
    with plain() as etcd:
        key = fresh_name("bytes")
        etcd.put(key, b"\x00\xff\x80\n")
        equal(etcd.get(key)[0], b"\x00\xff\x80\n")
        equal(etcd.get(fresh_name("missing")), (None, None))
        equal(etcd.put(key, b"", prev_kv=True).prev_kv.value, b"\x00\xff\x80\n")
        equal(etcd.get(key)[0], b"")


def prefix() -> None:
    with plain() as etcd:
        start = fresh_name("prefix/")
        for letter in "bac":
            etcd.put(start + letter, letter.upper())
        found = [(meta.key.decode(), value) for value, meta in etcd.get_prefix(start)]
        equal(found, [(f"{start}a", b"A"), (f"{start}b", b"B"), (f"{start}c", b"C")])
        by_creation = etcd.get_prefix(start, sort_target="create", sort_order="descend", limit=2)
        equal([value for value, _ in by_creation], [b"C", b"A"])


def history() -> None:
    with plain() as etcd:
        key = fresh_name("history")
        first = etcd.put(key, "one").header.revision
        second = etcd.put(key, "two").header.revision
        third = etcd.delete(key, return_response=True).header.revision
        equal([etcd.get(key, revision=revision)[0] for revision in (first, second, third)], [b"one", b"two", None])


def deletion() -> None:
    with plain() as etcd:
        start = fresh_name("delete/")
        for letter in "abc":
            etcd.put(start + letter, letter)
        equal(etcd.delete(f"{start}a", prev_kv=True, return_response=True).prev_kvs[0].value, b"a")
        equal(etcd.delete(f"{start}a"), False)
        equal(etcd.delete_prefix(start).deleted, 2)


def compaction() -> None:
    with plain() as etcd:
        key = fresh_name("compaction")
        first = etcd.put(key, "one").header.revision
        second = etcd.put(key, "two").header.revision
        etcd.compact(second, physical=True)
        with refused(grpc.StatusCode.OUT_OF_RANGE, "required revision has been compacted"):
            etcd.get(key, revision=first)
        equal(etcd.get(key, revision=second)[0], b"two")


def branches() -> None:
    with plain() as etcd:
        key = fresh_name("branches")

        def claim(value: str) -> tuple:
            txn = etcd.transactions
            return etcd.transaction([txn.create(key) == 0], [txn.put(key, value)], [txn.get(key)])

        equal(claim("first")[0], True)
        succeeded, responses = claim("second")
        equal(succeeded, False)
        equal(responses[0][0][0], b"first")


def race() -> None:
    key = fresh_name("race")

    def claim() -> bool:
        with plain() as etcd:
            return etcd.put_if_not_exists(key, "mine")

    tasks = [Task(claim) for _ in range(4)]
    equal(sorted(task.result() for task in tasks), [False, False, False, True])
