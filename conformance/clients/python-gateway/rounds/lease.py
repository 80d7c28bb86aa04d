"""Leases: kept alive, expired, revoked, with the keys attached."""

import time

from etcd3gw.lease import Lease

from checks import Checks, equal, refused
from connect import fresh_name, plain, revision_of

TTL_SECONDS = 2
NOT_FOUND = 5
GONE = -1


def run(checks: Checks) -> None:
    checks.run("lease: kept alive past its TTL, then stopped and expired with its key", kept_alive_then_expired)
    checks.run("lease: revoked with its keys, and unknown afterwards", revoked)
    checks.run("lease: time to live and the keys attached", time_to_live)


def kept_alive_then_expired() -> None:
    etcd = plain()
    key = fresh_name("alive")
    lease = etcd.lease(TTL_SECONDS)
    etcd.put(key, "held", lease=lease)
    end = time.monotonic() + TTL_SECONDS * 1.6
    while time.monotonic() < end:
        equal(lease.refresh(), TTL_SECONDS)
        time.sleep(TTL_SECONDS / 4)  # the pace of the keepalives
    equal(etcd.get(key), [b"held"])
    deletion = etcd.watch_once(key, timeout=20, start_revision=revision_of(etcd, key) + 1)
    equal(deletion["type"], "DELETE")
    equal(etcd.get(key), [])
    equal(lease.refresh(), GONE)


def revoked() -> None:
    etcd = plain()
    key = fresh_name("revoked")
    lease = etcd.lease(60)
    etcd.put(key, "held", lease=lease)
    equal(lease.revoke(), True)
    equal(etcd.get(key), [])
    with refused(NOT_FOUND, "etcdserver: requested lease not found"):
        lease.revoke()
    with refused(NOT_FOUND, "etcdserver: requested lease not found"):
        etcd.put(key, "too late", lease=lease)


def time_to_live() -> None:
    etcd = plain()
    key = fresh_name("ttl")
    lease = etcd.lease(60)
    etcd.put(key, "held", lease=lease)
    equal(0 < lease.ttl() <= 60, True)
    equal(lease.keys(), [key.encode()])
    lease.revoke()
    equal(lease.ttl(), -1)
    equal(Lease(12345, client=etcd).ttl(), -1)
