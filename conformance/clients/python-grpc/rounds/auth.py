"""Authentication: users, roles and permissions on a server that starts without them, and is left without them."""

from collections.abc import Callable

import grpc
from pyetcd import etcdrpc as rpc
from pyetcd.utils import prefix_range_end

from checks import Checks, equal, refused
from connect import as_user, fresh_name, plain

ROOT_PASSWORD = "root-password"
READER_PASSWORD = "reader-password"
NEW_PASSWORD = "another password"
ALLOWED = fresh_name("allowed/")
ELSEWHERE = fresh_name("elsewhere")

DENIED = (grpc.StatusCode.PERMISSION_DENIED, "etcdserver: permission denied")
WRONG_PASSWORD = (grpc.StatusCode.INVALID_ARGUMENT, "authentication failed, invalid user ID or password")
NO_USER = (grpc.StatusCode.INVALID_ARGUMENT, "etcdserver: user name is empty")


def run(checks: Checks) -> None:
    checks.run("auth: users, roles and a permission are made and listed", prepare)
    checks.run("auth: enabled", enable)
    checks.run("auth: root may do everything", root_may)
    checks.run("auth: the limited user may read where its role lets it", may_read)
    checks.run("auth: the limited user is refused elsewhere", refused_elsewhere)
    checks.run("auth: a watch where the role lets it", watches)
    checks.run("auth: a wrong password is refused", wrong_password)
    checks.run("auth: no credentials are refused", no_credentials)
    checks.run("auth: a new password and a revoked role count at once", changes)
    checks.run("auth: disabled, and everything removed", clean_up)


def admin(client) -> Callable:
    """A function that calls a method of the Auth service by name, as this client's user."""

    def call(method: str, **fields):
        request = getattr(rpc, f"Auth{method}Request")(**fields)
        name = f"Auth{method}" if method in ("Enable", "Disable") else method
        return getattr(client.authstub, name)(request, timeout=10, metadata=client.metadata)

    return call


def prepare() -> None:
    with plain("HOLDFAST_AUTH_ENDPOINT") as etcd:
        call = admin(etcd)
        call("UserAdd", name="root", password=ROOT_PASSWORD)
        call("RoleAdd", name="root")
        call("UserGrantRole", user="root", role="root")
        call("UserAdd", name="reader", password=READER_PASSWORD)
        call("RoleAdd", name="reading")
        with refused(grpc.StatusCode.FAILED_PRECONDITION, "role name already exists"):
            call("RoleAdd", name="reading")
        key, range_end = ALLOWED.encode(), prefix_range_end(ALLOWED.encode())
        permission = rpc.Permission(permType=rpc.Permission.READ, key=key, range_end=range_end)
        call("RoleGrantPermission", name="reading", perm=permission)
        call("UserGrantRole", user="reader", role="reading")

        equal(sorted(call("UserList").users), ["reader", "root"])
        equal(sorted(call("RoleList").roles), ["reading", "root"])
        equal(list(call("UserGet", name="reader").roles), ["reading"])
        equal(list(call("RoleGet", role="reading").perm), [permission])


def enable() -> None:
    with plain("HOLDFAST_AUTH_ENDPOINT") as etcd:
        admin(etcd)("Enable")


def root_may() -> None:
    with as_user("root", ROOT_PASSWORD) as root:
        root.put(f"{ALLOWED}a", "for the reader")
        root.put(ELSEWHERE, "not for the reader")
        equal(root.get(ELSEWHERE)[0], b"not for the reader")


def may_read() -> None:
    with as_user("reader", READER_PASSWORD) as reader:
        equal(reader.get(f"{ALLOWED}a")[0], b"for the reader")
        equal(len(list(reader.get_prefix(ALLOWED))), 1)


def refused_elsewhere() -> None:
    with as_user("reader", READER_PASSWORD) as reader:
        txn = reader.transactions
        attempts = [
            lambda: reader.put(f"{ALLOWED}a", "no"),
            lambda: reader.get(ELSEWHERE),
            lambda: list(reader.get_all()),
            lambda: reader.delete_prefix(ALLOWED),
            lambda: reader.transaction([], [txn.put(f"{ALLOWED}a", "no")], []),
            lambda: admin(reader)("UserAdd", name="other", password="password"),
        ]
        for attempt in attempts:
            with refused(*DENIED):
                attempt()


def watches() -> None:
    with as_user("reader", READER_PASSWORD) as reader, as_user("root", ROOT_PASSWORD) as root:
        events, cancel = reader.watch_prefix(ALLOWED)
        root.put(f"{ALLOWED}b", "seen")
        equal(next(events).value, b"seen")
        cancel()


def wrong_password() -> None:
    with refused(*WRONG_PASSWORD):
        as_user("reader", "wrong")


def no_credentials() -> None:
    with plain("HOLDFAST_AUTH_ENDPOINT") as etcd, refused(*NO_USER):
        etcd.get(f"{ALLOWED}a")


def changes() -> None:
    with as_user("root", ROOT_PASSWORD) as root:
        call = admin(root)
        call("UserChangePassword", name="reader", password=NEW_PASSWORD)
        with refused(*WRONG_PASSWORD):
            as_user("reader", READER_PASSWORD)
        with as_user("reader", NEW_PASSWORD) as reader:
            equal(reader.get(f"{ALLOWED}a")[0], b"for the reader")
            call("UserRevokeRole", name="reader", role="reading")
            with refused(*DENIED):
                reader.get(f"{ALLOWED}a")


def clean_up() -> None:
    with as_user("root", ROOT_PASSWORD) as root:
        admin(root)("Disable")
    with plain("HOLDFAST_AUTH_ENDPOINT") as etcd:
        call = admin(etcd)
        for user in call("UserList").users:
            call("UserDelete", name=user)
        for role in call("RoleList").roles:
            call("RoleDelete", role=role)
        equal((list(call("UserList").users), list(call("RoleList").roles)), ([], []))
        etcd.delete_prefix(ALLOWED)
        etcd.delete(ELSEWHERE)
