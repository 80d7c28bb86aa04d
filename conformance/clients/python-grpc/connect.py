"""Clients for the servers that the environment names, and names that no other check uses."""

import itertools
import os
import urllib.request

import pyetcd

_numbers = itertools.count(1)


def fresh_name(words: str) -> str:
    """A key or name that is new at every call, also across runs."""
    return f"python-grpc/{os.getpid()}/{next(_numbers)}/{words}"


def plain(variable: str = "HOLDFAST_ENDPOINT") -> pyetcd.MultiEndpointEtcd3Client:
    """A client of the plain server at this endpoint."""
    host, port = _address(variable)
    # By default the client keeps away from an endpoint for five minutes after one failed call.
    endpoint = pyetcd.Endpoint(host, port, secure=False, time_retry=0)
    return pyetcd.MultiEndpointEtcd3Client([endpoint])


def as_user(user: str, password: str) -> pyetcd.Etcd3Client:
    """A client that has authenticated itself to the server for the auth round."""
    host, port = _address("HOLDFAST_AUTH_ENDPOINT")
    client = pyetcd.client(host, port, user=user, password=password)
    # The client sends its token as metadata and as call credentials; gRPC refuses the latter over plain text.
    client.call_credentials = None
    return client


def secure(*, ca: str = "HOLDFAST_TLS_CA", with_certificate: bool = True) -> pyetcd.Etcd3Client:
    """A client of the server with TLS, trusting the authority in the file that the variable `ca` names."""
    host, port = _address("HOLDFAST_TLS_ENDPOINT")
    identity = {"cert_cert": os.environ["HOLDFAST_TLS_CERT"], "cert_key": os.environ["HOLDFAST_TLS_KEY"]}
    return pyetcd.client(host, port, ca_cert=os.environ[ca], **(identity if with_certificate else {}))


def cut_proxy() -> None:
    """Ends every connection through the proxy."""
    request = urllib.request.Request(f"{os.environ['HOLDFAST_CONTROL_URL']}/cut", method="POST")
    with urllib.request.urlopen(request, timeout=10):
        pass


def _address(variable: str) -> tuple[str, int]:
    host, port = os.environ[variable].rsplit(":", 1)
    return host, int(port)
