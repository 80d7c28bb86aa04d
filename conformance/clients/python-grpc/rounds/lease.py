"""Leases: kept alive, expired, revoked, with a chosen id."""

import time

import grpc
from pyetcd.events import DeleteEvent
from pyetcd.exceptions import PreconditionFailedError

from checks import Checks, equal, raises, refused
from connect import fresh_name, plain

TTL_SECONDS = 2


def run(checks: Checks) -> None:
    checks.run("lease: kept alive past its TTL, then stopped and expired with its key", kept_alive_then_expired)
    checks.run("lease: revoked with its keys, and unknown afterwards", revoked)
    checks.run("lease: time to live and the keys attached", time_to_live)
    checks.run("lease: a chosen id is kept, and refused when it is taken", chosen_id)


def kept_alive_then_expired() -> None:
    with plain() as etcd:
        key = fresh_name("alive")
        lease = etcd.lease(TTL_SECONDS)
        revision = etcd.put(key, "held", lease=lease).header.revision
        end = time.monotonic() + TTL_SECONDS * 1.6
        while time.monotonic() < end:
            equal(lease.refresh()[0].TTL, TTL_SECONDS)
            time.sleep(TTL_SECONDS / 4)  # the pace of the keepalives
        equal(etcd.get(key)[0], b"held")
        events, cancel = etcd.watch(key, start_revision=revision + 1)
        equal(type(next(events)), DeleteEvent)
        equal(etcd.get(key), (None, None))
        equal(lease.refresh()[0].TTL, 0)
        cancel()


def revoked() -> None:
    with plain() as etcd:
        key = fresh_name("revoked")
        lease = etcd.lease(60)
        etcd.put(key, "held", lease=lease)
        lease.revoke()
        equal(etcd.get(key), (None, None))
        with refused(grpc.StatusCode.NOT_FOUND, "requested lease not found"):
            lease.revoke()
        with refused(grpc.StatusCode.NOT_FOUND, "requested lease not found"):
            etcd.put(key, "too late", lease=lease)


def time_to_live() -> None:
    with plain() as etcd:
        key = fresh_name("ttl")
        lease = etcd.lease(60)
        etcd.put(key, "held", lease=lease)
        equal(lease.granted_ttl, 60)
        equal(0 < lease.remaining_ttl <= 60, True)
        equal(list(lease.keys), [key.encode()])
        lease.revoke()
        equal(lease.remaining_ttl, -1)


def chosen_id() -> None:
    with plain() as etcd:
        lease = etcd.lease(60, lease_id=time.monotonic_ns())
        equal(lease.granted_ttl, 60)
        with raises(PreconditionFailedError):
            etcd.lease(60, lease_id=lease.id)
        lease.revoke()
