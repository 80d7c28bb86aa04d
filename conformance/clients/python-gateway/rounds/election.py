"""Elections, by the Election service."""

import json

from checks import Checks, Task, equal, refused
from connect import call, decode, encode, fresh_name, plain
from rounds.lock import until_queued

UNKNOWN = 2


def run(checks: Checks) -> None:
    checks.run("election: candidates lead in the order they came, handing over by resigning", in_order)
    checks.run("election: a leader proclaims, and is refused once it has resigned", proclamation)
    checks.run("election: a leader whose lease is gone is followed by the next", lost_with_lease)
    checks.run("election: an observer sees every leader", observed)
    checks.run("election: no leader is an error of its own", no_leader)


def campaign(name: str, lease, value: str) -> dict:
    """Waits until the candidate leads and returns its leader key."""
    fields = {"name": encode(name), "lease": lease.id, "value": encode(value)}
    return call(plain(), "/election/campaign", **fields)["leader"]


def leader(name: str) -> bytes:
    return decode(call(plain(), "/election/leader", name=encode(name))["kv"]["value"])


def in_order() -> None:
    etcd = plain()
    name = fresh_name("order")
    leases = [etcd.lease(10), etcd.lease(10)]
    first = campaign(name, leases[0], "first")
    equal(decode(first["key"]).decode(), f"{name}/{leases[0].id:x}")
    waiting = Task(lambda: campaign(name, leases[1], "second"))
    until_queued(etcd, name, 2)
    equal(leader(name), b"first")
    call(etcd, "/election/resign", leader=first)
    second = waiting.result()
    equal(leader(name), b"second")
    call(etcd, "/election/resign", leader=second)


def proclamation() -> None:
    etcd = plain()
    name = fresh_name("proclaim")
    lease = etcd.lease(10)
    mine = campaign(name, lease, "one")
    call(etcd, "/election/proclaim", leader=mine, value=encode("two"))
    equal(leader(name), b"two")
    call(etcd, "/election/resign", leader=mine)
    with refused(UNKNOWN, "election: not leader"):
        call(etcd, "/election/proclaim", leader=mine, value=encode("three"))


def lost_with_lease() -> None:
    etcd = plain()
    name = fresh_name("lost")
    leases = [etcd.lease(10), etcd.lease(10)]
    campaign(name, leases[0], "first")
    waiting = Task(lambda: campaign(name, leases[1], "second"))
    until_queued(etcd, name, 2)
    leases[0].revoke()
    waiting.result()
    equal(leader(name), b"second")
    leases[1].revoke()


def observed() -> None:
    etcd = plain()
    name = fresh_name("observed")
    url = etcd.get_url("/election/observe")
    lease = etcd.lease(10)
    mine = campaign(name, lease, "one")
    with etcd.session.post(url, json={"name": encode(name)}, stream=True, timeout=20) as answer:
        results = (json.loads(line)["result"] for line in answer.iter_lines() if line)
        equal(decode(next(results)["kv"]["value"]), b"one")
        call(plain(), "/election/proclaim", leader=mine, value=encode("two"))
        equal(decode(next(results)["kv"]["value"]), b"two")
        call(plain(), "/election/resign", leader=mine)
        other = campaign(name, lease, "three")
        equal(decode(next(results)["kv"]["value"]), b"three")
    call(etcd, "/election/resign", leader=other)


def no_leader() -> None:
    with refused(UNKNOWN, "election: no leader"):
        leader(fresh_name("nobody"))
