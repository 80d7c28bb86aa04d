"""Authentication: users, roles and permissions on a server that starts without them, and is left without them."""

from checks import Checks, equal, refused
from connect import as_user, call, encode, fresh_name, plain

ROOT_PASSWORD = "root-password"
READER_PASSWORD = "reader-password"
NEW_PASSWORD = "another password"
ALLOWED = fresh_name("allowed/")
ELSEWHERE = fresh_name("elsewhere")
RANGE_END = ALLOWED[:-1] + chr(ord(ALLOWED[-1]) + 1)

DENIED = (7, "etcdserver: permission denied")
WRONG_PASSWORD = (3, "etcdserver: authentication failed, invalid user ID or password")
NO_USER = (3, "etcdserver: user name is empty")
INVALID_TOKEN = (16, "etcdserver: invalid auth token")
ROLE_EXISTS = (9, "etcdserver: role name already exists")


def run(checks: Checks) -> None:
    checks.run("auth: users, roles and a permission are made and listed", prepare)
    checks.run("auth: enabled", lambda: call(plain("HOLDFAST_AUTH_ENDPOINT"), "/auth/enable"))
    checks.run("auth: root may do everything", root_may)
    checks.run("auth: the limited user may read where its role lets it", may_read)
    checks.run("auth: the limited user is refused elsewhere", refused_elsewhere)
    checks.run("auth: a watch where the role lets it", watches)
    checks.run("auth: a wrong password is refused", wrong_password)
    checks.run("auth: no token and a wrong one are refused", no_token)
    checks.run("auth: a new password and a revoked role count at once", changes)
    checks.run("auth: disabled, and everything removed", clean_up)


def prepare() -> None:
    etcd = plain("HOLDFAST_AUTH_ENDPOINT")
    call(etcd, "/auth/user/add", name="root", password=ROOT_PASSWORD)
    call(etcd, "/auth/role/add", name="root")
    call(etcd, "/auth/user/grant", user="root", role="root")
    call(etcd, "/auth/user/add", name="reader", password=READER_PASSWORD)
    call(etcd, "/auth/role/add", name="reading")
    with refused(*ROLE_EXISTS):
        call(etcd, "/auth/role/add", name="reading")
    permission = {"permType": "READ", "key": encode(ALLOWED), "range_end": encode(RANGE_END)}
    call(etcd, "/auth/role/grant", name="reading", perm=permission)
    call(etcd, "/auth/user/grant", user="reader", role="reading")

    equal(sorted(call(etcd, "/auth/user/list")["users"]), ["reader", "root"])
    equal(sorted(call(etcd, "/auth/role/list")["roles"]), ["reading", "root"])
    equal(call(etcd, "/auth/user/get", name="reader")["roles"], ["reading"])
    [granted] = call(etcd, "/auth/role/get", role="reading")["perm"]
    equal((granted["key"], granted["range_end"]), (permission["key"], permission["range_end"]))
    # READ is the enum's zero, which JSON may leave out.
    equal(granted.get("permType", "READ"), "READ")


def root_may() -> None:
    root = as_user("root", ROOT_PASSWORD)
    root.put(f"{ALLOWED}a", "for the reader")
    root.put(ELSEWHERE, "not for the reader")
    equal(root.get(ELSEWHERE), [b"not for the reader"])


def may_read() -> None:
    reader = as_user("reader", READER_PASSWORD)
    equal(reader.get(f"{ALLOWED}a"), [b"for the reader"])
    equal(len(reader.get_prefix(ALLOWED)), 1)


def refused_elsewhere() -> None:
    reader = as_user("reader", READER_PASSWORD)
    attempts = [
        lambda: reader.put(f"{ALLOWED}a", "no"),
        lambda: reader.get(ELSEWHERE),
        lambda: reader.get_all(),
        lambda: reader.delete_prefix(ALLOWED),
        lambda: reader.create(f"{ALLOWED}b", "no"),
        lambda: call(reader, "/auth/user/add", name="other", password="password"),
    ]
    for attempt in attempts:
        with refused(*DENIED):
            attempt()


def watches() -> None:
    reader = as_user("reader", READER_PASSWORD)
    events, cancel = reader.watch_prefix(ALLOWED)
    as_user("root", ROOT_PASSWORD).put(f"{ALLOWED}b", "seen")
    equal(next(events)["kv"]["value"], b"seen")
    cancel()


def wrong_password() -> None:
    with refused(*WRONG_PASSWORD):
        as_user("reader", "wrong")


def no_token() -> None:
    etcd = plain("HOLDFAST_AUTH_ENDPOINT")
    with refused(*NO_USER):
        etcd.get(f"{ALLOWED}a")
    etcd.session.headers["Authorization"] = "made up"
    with refused(*INVALID_TOKEN):
        etcd.get(f"{ALLOWED}a")


def changes() -> None:
    root = as_user("root", ROOT_PASSWORD)
    call(root, "/auth/user/changepw", name="reader", password=NEW_PASSWORD)
    with refused(*WRONG_PASSWORD):
        as_user("reader", READER_PASSWORD)
    reader = as_user("reader", NEW_PASSWORD)
    equal(reader.get(f"{ALLOWED}a"), [b"for the reader"])
    call(root, "/auth/user/revoke", name="reader", role="reading")
    with refused(*DENIED):
        reader.get(f"{ALLOWED}a")


def clean_up() -> None:
    call(as_user("root", ROOT_PASSWORD), "/auth/disable")
    etcd = plain("HOLDFAST_AUTH_ENDPOINT")
    for user in call(etcd, "/auth/user/list")["users"]:
        call(etcd, "/auth/user/delete", name=user)
    for role in call(etcd, "/auth/role/list")["roles"]:
        call(etcd, "/auth/role/delete", role=role)
    equal(call(etcd, "/auth/user/list").get("users", []), [])
    equal(call(etcd, "/auth/role/list").get("roles", []), [])
    etcd.delete_prefix(ALLOWED)
    etcd.delete(ELSEWHERE)
