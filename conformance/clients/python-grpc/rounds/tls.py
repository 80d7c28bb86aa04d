"""TLS with a client certificate: the server proves itself, and so must the client."""

import pyetcd
from pyetcd.events import DeleteEvent, PutEvent
from pyetcd.exceptions import ConnectionFailedError

from checks import Checks, equal, raises
from connect import fresh_name, secure


def run(checks: Checks) -> None:
    checks.run("tls: put and get with a client certificate", put_and_get)
    checks.run("tls: a watch and a lease over it", watch_and_lease)
    checks.run("tls: refused without a client certificate", without_certificate)
    checks.run("tls: the client refuses a server of an unknown authority", unknown_authority)


def put_and_get() -> None:
    with secure() as etcd:
        key = fresh_name("tls")
        etcd.put(key, "secret")
        equal(etcd.get(key)[0], b"secret")


def watch_and_lease() -> None:
    with secure() as etcd:
        key = fresh_name("tls-watch")
        events, cancel = etcd.watch(key)
        lease = etcd.lease(10)
        etcd.put(key, "held", lease=lease)
        lease.revoke()
        equal([type(next(events)), type(next(events))], [PutEvent, DeleteEvent])
        cancel()


def without_certificate() -> None:
    only_with_the_right_files(secure(with_certificate=False))


def unknown_authority() -> None:
    # A certificate that has signed nothing, so it vouches for no server.
    only_with_the_right_files(secure(ca="HOLDFAST_TLS_CERT"))


def only_with_the_right_files(client: pyetcd.Etcd3Client) -> None:
    """The server answers a client that has everything, so it is there; the other client reaches nobody."""
    key = fresh_name("refused")
    with secure() as etcd:
        equal(etcd.get(key), (None, None))
    with client, raises(ConnectionFailedError):
        client.get(key)
