"""TLS with a client certificate: the server proves itself, and so must the client."""

import etcd3gw
from etcd3gw.exceptions import ConnectionFailedError

from checks import Checks, equal, raises
from connect import fresh_name, secure


def run(checks: Checks) -> None:
    checks.run("tls: put and get with a client certificate", put_and_get)
    checks.run("tls: a watch and a lease over it", watch_and_lease)
    checks.run("tls: refused without a client certificate", without_certificate)
    checks.run("tls: the client refuses a server of an unknown authority", unknown_authority)


def put_and_get() -> None:
    etcd = secure()
    key = fresh_name("tls")
    etcd.put(key, "secret")
    equal(etcd.get(key), [b"secret"])


def watch_and_lease() -> None:
    etcd = secure()
    key = fresh_name("tls-watch")
    events, cancel = etcd.watch(key)
    lease = etcd.lease(10)
    etcd.put(key, "held", lease=lease)
    lease.revoke()
    equal([next(events).get("type", "PUT"), next(events)["type"]], ["PUT", "DELETE"])
    cancel()


def without_certificate() -> None:
    only_with_the_right_files(secure(with_certificate=False))


def unknown_authority() -> None:
    # A certificate that has signed nothing, so it vouches for no server.
    only_with_the_right_files(secure(ca="HOLDFAST_TLS_CERT"))


def only_with_the_right_files(client: etcd3gw.Etcd3Client) -> None:
    """The server answers a client that has everything, so it is there; the other client reaches nobody."""
    key = fresh_name("refused")
    equal(secure().get(key), [])
    with raises(ConnectionFailedError):
        client.get(key)
