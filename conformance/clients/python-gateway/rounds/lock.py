"""Locks: the client's own (one key under a lease, no queue), and the Lock service."""

from checks import Checks, Task, equal, refused
from connect import call, decode, encode, fresh_name, plain

UNKNOWN = 2


def run(checks: Checks) -> None:
    checks.run("lock: a second contender is refused until the first releases", two_contenders)
    checks.run("lock: kept by refreshing, lost with its lease", lost_with_lease)
    checks.run("lock service: a second contender waits, and unlocking hands over", service_hands_over)
    checks.run("lock service: a holder's lease ends and the next one gets the lock", service_lost_with_lease)
    checks.run("lock service: a lease that does not exist is refused", service_unknown_lease)


def two_contenders() -> None:
    name = fresh_name("contenders")
    first, second = plain().lock(name, ttl=10), plain().lock(name, ttl=10)
    equal((first.acquire(), second.acquire()), (True, False))
    equal((first.is_acquired(), second.is_acquired()), (True, False))
    equal((second.release(), first.release()), (False, True))
    equal(second.acquire(), True)
    equal(second.release(), True)


def lost_with_lease() -> None:
    name = fresh_name("lost")
    first, second = plain().lock(name, ttl=10), plain().lock(name, ttl=10)
    first.acquire()
    equal(first.refresh(), 10)
    first.lease.revoke()
    equal(first.is_acquired(), False)
    equal(second.acquire(), True)
    second.release()


def lock(name: str, lease) -> bytes:
    """Waits for the lock of this name and returns the holder's key."""
    return decode(call(plain(), "/lock/lock", name=encode(name), lease=lease.id)["key"])


def service_hands_over() -> None:
    etcd = plain()
    name = fresh_name("service")
    first, second = etcd.lease(10), etcd.lease(10)
    key = lock(name, first)
    equal(key.decode(), f"{name}/{first.id:x}")
    waiting = Task(lambda: lock(name, second))
    until_queued(etcd, name, 2)
    call(etcd, "/lock/unlock", key=encode(key))
    equal(waiting.result().decode(), f"{name}/{second.id:x}")
    equal([meta["key"] for _, meta in etcd.get_prefix(f"{name}/")], [waiting.result()])
    second.revoke()


def service_lost_with_lease() -> None:
    etcd = plain()
    name = fresh_name("service-lost")
    first, second = etcd.lease(10), etcd.lease(10)
    lock(name, first)
    waiting = Task(lambda: lock(name, second))
    until_queued(etcd, name, 2)
    first.revoke()
    equal(waiting.result().decode(), f"{name}/{second.id:x}")
    second.revoke()


def service_unknown_lease() -> None:
    lease = plain().lease(10)
    lease.revoke()
    with refused(UNKNOWN, "etcdserver: requested lease not found"):
        lock(fresh_name("unknown"), lease)


def until_queued(etcd, name: str, count: int) -> None:
    """Waits until so many keys stand under the name."""
    while len(etcd.get_prefix(f"{name}/")) < count:
        pass
