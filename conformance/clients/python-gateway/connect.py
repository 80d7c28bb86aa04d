"""Clients for the servers that the environment names, and names that no other check uses."""

import base64
import itertools
import os
import urllib.request

import etcd3gw

# No answer takes longer, save a lock or an election that waits for its turn.
TIMEOUT_SECONDS = 25

_numbers = itertools.count(1)


def fresh_name(words: str) -> str:
    """A key or name that is new at every call, also across runs."""
    return f"python-gateway/{os.getpid()}/{next(_numbers)}/{words}"


def plain(variable: str = "HOLDFAST_ENDPOINT") -> etcd3gw.Etcd3Client:
    """A client of the plain server at this endpoint, which finds out the path prefix by itself."""
    host, port = _address(variable)
    return _alone(etcd3gw.client(host, port, timeout=TIMEOUT_SECONDS))


def as_user(name: str, password: str) -> etcd3gw.Etcd3Client:
    """A client that has authenticated itself to the server for the auth round."""
    client = plain("HOLDFAST_AUTH_ENDPOINT")
    answer = call(client, "/auth/authenticate", name=name, password=password)
    client.session.headers["Authorization"] = answer["token"]
    return client


def secure(*, ca: str = "HOLDFAST_TLS_CA", with_certificate: bool = True) -> etcd3gw.Etcd3Client:
    """A client of the server with TLS, trusting the authority in the file that the variable `ca` names."""
    host, port = _address("HOLDFAST_TLS_ENDPOINT")
    identity = {"cert_cert": os.environ["HOLDFAST_TLS_CERT"], "cert_key": os.environ["HOLDFAST_TLS_KEY"]}
    options = {"protocol": "https", "ca_cert": os.environ[ca], "timeout": TIMEOUT_SECONDS}
    return _alone(etcd3gw.client(host, port, **options, **(identity if with_certificate else {})))


def call(client: etcd3gw.Etcd3Client, path: str, **fields: object) -> dict:
    """Calls a method for which the client has no name of its own."""
    return client.post(client.get_url(path), json=fields)


def revision_of(client: etcd3gw.Etcd3Client, key: str) -> int:
    """The revision at which the key was last written."""
    [(_, meta)] = client.get(key, metadata=True)
    return int(meta["mod_revision"])


def encode(text: str | bytes) -> str:
    """Bytes as JSON carries them."""
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def decode(text: str) -> bytes:
    """The bytes that JSON carries."""
    return base64.b64decode(text)


def cut_proxy() -> None:
    """Ends every connection through the proxy."""
    request = urllib.request.Request(f"{os.environ['HOLDFAST_CONTROL_URL']}/cut", method="POST")
    with urllib.request.urlopen(request, timeout=10):
        pass


def _alone(client: etcd3gw.Etcd3Client) -> etcd3gw.Etcd3Client:
    """Keeps the session from proxies and authorities that the environment names, which would win over its own."""
    client.session.trust_env = False
    return client


def _address(variable: str) -> tuple[str, int]:
    host, port = os.environ[variable].rsplit(":", 1)
    return host, int(port)
