"""Keys: values, ranges, history, deletion, compaction, transactions."""

from checks import Checks, Task, equal, refused
from connect import call, encode, fresh_name, plain, revision_of

OUT_OF_RANGE = 11


def run(checks: Checks) -> None:
    checks.run("gateway: the path prefix is found through /version", path_prefix)
    checks.run("gateway: status and members", status)
    checks.run("kv: put and get bytes as they are", put_and_get)
    checks.run("kv: a prefix in key order, and sorted otherwise", prefix)
    checks.run("kv: get at an older revision", history)
    checks.run("kv: delete a key and a prefix", deletion)
    checks.run("kv: a compacted revision is refused as out of range", compaction)
    checks.run("txn: create, replace, and a nested answer in the else branch", branches)
    checks.run("txn: of four clients that create one key, one wins", race)


def path_prefix() -> None:
    equal(plain().api_path, "/v3/")


def status() -> None:
    etcd = plain()
    answer = etcd.status()
    equal(answer["header"]["member_id"], answer["leader"])
    equal([member["ID"] for member in etcd.members()], [answer["leader"]])


def put_and_get() -> None:
    etcd = plain()
    key = fresh_name("bytes")
    etcd.put(key, b"\x00\xff\x80\n")
    equal(etcd.get(key), [b"\x00\xff\x80\n"])
    equal(etcd.get(fresh_name("missing")), [])
    etcd.put(key, b"")
    equal(etcd.get(key), [b""])
    [(_, meta)] = etcd.get(key, metadata=True)
    equal((meta["key"], meta["version"]), (key.encode(), "2"))


def prefix() -> None:
    etcd = plain()
    start = fresh_name("prefix/")
    for letter in "bac":
        etcd.put(start + letter, letter.upper())
    found = [(meta["key"].decode(), value) for value, meta in etcd.get_prefix(start)]
    equal(found, [(f"{start}a", b"A"), (f"{start}b", b"B"), (f"{start}c", b"C")])
    by_creation = etcd.get_prefix(start, sort_order="descend", sort_target="create")
    equal([value for value, _ in by_creation], [b"C", b"A", b"B"])


def history() -> None:
    etcd = plain()
    key = fresh_name("history")
    etcd.put(key, "one")
    first = revision_of(etcd, key)
    etcd.put(key, "two")
    second = revision_of(etcd, key)
    equal(etcd.delete(key), True)
    equal([etcd.get(key, revision=first), etcd.get(key, revision=second), etcd.get(key)], [[b"one"], [b"two"], []])


def deletion() -> None:
    etcd = plain()
    start = fresh_name("delete/")
    for letter in "abc":
        etcd.put(start + letter, letter)
    equal(etcd.delete(f"{start}a"), True)
    equal(etcd.delete(f"{start}a"), False)
    equal(etcd.delete_prefix(start), True)
    equal(etcd.get_prefix(start), [])


def compaction() -> None:
    etcd = plain()
    key = fresh_name("compaction")
    etcd.put(key, "one")
    first = revision_of(etcd, key)
    etcd.put(key, "two")
    second = revision_of(etcd, key)
    call(etcd, "/kv/compaction", revision=second, physical=True)
    with refused(OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted"):
        etcd.get(key, revision=first)
    equal(etcd.get(key, revision=second), [b"two"])


def branches() -> None:
    etcd = plain()
    key = fresh_name("branches")
    equal(etcd.create(key, "first"), True)
    equal(etcd.create(key, "second"), False)
    equal(etcd.replace(key, "wrong", "third"), False)
    equal(etcd.replace(key, "first", "third"), True)
    compare = {"key": encode(key), "target": "VERSION", "result": "GREATER", "version": 99}
    get = {"request_range": {"key": encode(key)}}
    answer = etcd.transaction({"compare": [compare], "success": [], "failure": [get]})
    equal(answer.get("succeeded", False), False)
    equal(answer["responses"][0]["response_range"]["kvs"][0]["value"], encode("third"))


def race() -> None:
    key = fresh_name("race")
    tasks = [Task(lambda: plain().create(key, "mine")) for _ in range(4)]
    equal(sorted(task.result() for task in tasks), [False, False, False, True])
