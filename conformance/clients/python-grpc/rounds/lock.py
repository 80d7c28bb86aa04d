"""Locks. This client's lock is one key under a lease; a contender watches that key and tries again."""

from checks import Checks, Task, equal
from connect import fresh_name, plain


def run(checks: Checks) -> None:
    checks.run("lock: a second contender waits until the first releases", two_contenders)
    checks.run("lock: a contender gives up after its time", gives_up)
    checks.run("lock: lost with its lease, and taken by the next", lost_with_lease)


def two_contenders() -> None:
    name = fresh_name("contenders")
    with plain() as one, plain() as other:
        first, second = one.lock(name, ttl=10), other.lock(name, ttl=10)
        equal(first.acquire(), True)
        equal(first.is_acquired(), True)
        waiting = Task(lambda: second.acquire(timeout=None))
        equal(second.is_acquired(), False)
        equal(first.release(), True)
        equal(waiting.result(), True)
        equal((first.is_acquired(), second.is_acquired()), (False, True))
        equal(second.release(), True)


def gives_up() -> None:
    name = fresh_name("gives-up")
    with plain() as one, plain() as other:
        first = one.lock(name, ttl=10)
        first.acquire()
        equal(other.lock(name, ttl=10).acquire(timeout=0), False)
        first.release()


def lost_with_lease() -> None:
    name = fresh_name("lost")
    with plain() as one, plain() as other:
        first, second = one.lock(name, ttl=10), other.lock(name, ttl=10)
        first.acquire()
        waiting = Task(lambda: second.acquire(timeout=None))
        other.revoke_lease(first.lease.id)
        equal(waiting.result(), True)
        equal(first.is_acquired(), False)
        equal(first.release(), False)
        equal(second.release(), True)
