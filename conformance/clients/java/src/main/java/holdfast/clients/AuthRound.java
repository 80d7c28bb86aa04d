package holdfast.clients;

import static holdfast.clients.Checks.equal;
import static holdfast.clients.Checks.get;
import static holdfast.clients.Checks.refused;
import static holdfast.clients.Servers.bytes;
import static holdfast.clients.Servers.concat;
import static holdfast.clients.Servers.freshName;
import static holdfast.clients.Servers.queueKey;

import io.etcd.jetcd.Auth;
import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.KV;
import io.etcd.jetcd.auth.Permission;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.DeleteOption;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.OptionsUtil;
import io.etcd.jetcd.options.PutOption;
import io.grpc.Status;
import java.util.List;
import java.util.concurrent.Future;

/** Users, roles and permissions on a server that starts without them, and is left without them. */
final class AuthRound {
  private static final String DENIED = "etcdserver: permission denied";
  private static final String WRONG_PASSWORD = "authentication failed, invalid user ID or password";
  private static final ByteSequence READING = bytes("reading");
  private static final ByteSequence READER = bytes("reader");
  private static final ByteSequence ROOT = bytes("root");
  private static final ByteSequence ALLOWED = freshName("allowed/");
  private static final ByteSequence ALLOWED_END = OptionsUtil.prefixEndOf(ALLOWED);
  private static final ByteSequence ELSEWHERE = freshName("elsewhere");
  private static final GetOption PREFIX = GetOption.builder().isPrefix(true).build();
  private static final DeleteOption DELETE_PREFIX = DeleteOption.builder().isPrefix(true).build();

  private AuthRound() {}

  static void run(Checks checks) {
    checks.run("auth: users, roles and a permission are made and listed", AuthRound::prepare);
    checks.run("auth: enabled", resources -> get(resources.use(Servers.auth()).getAuthClient().authEnable()));
    checks.run("auth: root may do everything", AuthRound::rootMay);
    checks.run("auth: the limited user may read where its role lets it", AuthRound::mayRead);
    checks.run("auth: the limited user is refused elsewhere", AuthRound::refusedElsewhere);
    checks.run("auth: a watch where the role lets it", AuthRound::watches);
    checks.run("auth: locks and elections follow the same permissions", AuthRound::locks);
    checks.run("auth: a wrong password is refused", AuthRound::wrongPassword);
    checks.run("auth: no credentials are refused", AuthRound::noCredentials);
    checks.run("auth: a new password and a revoked role count at once", AuthRound::changes);
    checks.run("auth: disabled, and everything removed", AuthRound::cleanUp);
  }

  private static void prepare(Checks.Resources resources) throws Exception {
    Auth auth = resources.use(Servers.auth()).getAuthClient();
    get(auth.userAdd(ROOT, bytes("root-password")));
    get(auth.roleAdd(ROOT));
    get(auth.userGrantRole(ROOT, ROOT));
    get(auth.userAdd(READER, bytes("reader-password")));
    get(auth.roleAdd(READING));
    refused(auth.roleAdd(READING), Status.Code.FAILED_PRECONDITION, "role name already exists");
    get(auth.roleGrantPermission(READING, ALLOWED, ALLOWED_END, Permission.Type.READ));
    get(auth.userGrantRole(READER, READING));

    equal(get(auth.userList()).getUsers().stream().sorted().toList(), List.of("reader", "root"));
    equal(get(auth.roleList()).getRoles().stream().sorted().toList(), List.of("reading", "root"));
    equal(get(auth.userGet(READER)).getRoles(), List.of("reading"));
    Permission permission = get(auth.roleGet(READING)).getPermissions().get(0);
    equal(permission.getPermType(), Permission.Type.READ);
    equal(List.of(permission.getKey(), permission.getRangeEnd()), List.of(ALLOWED, ALLOWED_END));
  }

  private static void rootMay(Checks.Resources resources) throws Exception {
    KV kv = root(resources).getKVClient();
    get(kv.put(concat(ALLOWED, "a"), bytes("for the reader")));
    get(kv.put(ELSEWHERE, bytes("not for the reader")));
    equal(get(kv.get(ELSEWHERE)).getCount(), 1L);
  }

  private static void mayRead(Checks.Resources resources) throws Exception {
    KV kv = reader(resources, "reader-password").getKVClient();
    equal(get(kv.get(concat(ALLOWED, "a"))).getKvs().get(0).getValue(), bytes("for the reader"));
    equal(get(kv.get(ALLOWED, PREFIX)).getCount(), 1L);
  }

  private static void refusedElsewhere(Checks.Resources resources) throws Exception {
    Client client = reader(resources, "reader-password");
    KV kv = client.getKVClient();
    ByteSequence key = concat(ALLOWED, "a");
    List<Future<?>> attempts =
        List.of(
            kv.put(key, bytes("no")),
            kv.get(ELSEWHERE),
            kv.get(bytes("java"), PREFIX),
            kv.delete(ALLOWED, DELETE_PREFIX),
            kv.txn().Then(Op.put(key, bytes("no"), PutOption.DEFAULT)).commit(),
            client.getAuthClient().userAdd(bytes("other"), bytes("password")));
    for (Future<?> attempt : attempts) {
      refused(attempt, Status.Code.PERMISSION_DENIED, DENIED);
    }
  }

  private static void watches(Checks.Resources resources) throws Exception {
    Client client = reader(resources, "reader-password");
    long revision = get(client.getKVClient().get(ALLOWED)).getHeader().getRevision();
    Events events = resources.use(new Events(client, ALLOWED, revision + 1));
    get(root(resources).getKVClient().put(concat(ALLOWED, "b"), bytes("seen")));
    equal(events.next().getKeyValue().getValue(), bytes("seen"));
  }

  private static void locks(Checks.Resources resources) throws Exception {
    Client root = root(resources);
    Client reader = reader(resources, "reader-password");
    ByteSequence name = concat(ALLOWED, "lock");
    long lease = get(root.getLeaseClient().grant(10)).getID();
    // Errors within these services lose their code on the way out (LOCK-14, ELECT-4).
    refused(reader.getLockClient().lock(name, lease), Status.Code.UNKNOWN, DENIED);
    refused(reader.getElectionClient().campaign(name, lease, bytes("me")), Status.Code.UNKNOWN, DENIED);
    equal(get(root.getLockClient().lock(name, lease)).getKey(), queueKey(name, lease));
    get(root.getLockClient().unlock(queueKey(name, lease)));
    get(root.getLeaseClient().revoke(lease));
  }

  private static void wrongPassword(Checks.Resources resources) throws Exception {
    KV kv = reader(resources, "wrong").getKVClient();
    refused(kv.get(concat(ALLOWED, "a")), Status.Code.INVALID_ARGUMENT, WRONG_PASSWORD);
  }

  private static void noCredentials(Checks.Resources resources) throws Exception {
    KV kv = resources.use(Servers.auth()).getKVClient();
    refused(kv.get(concat(ALLOWED, "a")), Status.Code.INVALID_ARGUMENT, "etcdserver: user name is empty");
  }

  private static void changes(Checks.Resources resources) throws Exception {
    Auth auth = root(resources).getAuthClient();
    ByteSequence key = concat(ALLOWED, "a");
    get(auth.userChangePassword(READER, bytes("another password")));
    KV old = reader(resources, "reader-password").getKVClient();
    refused(old.get(key), Status.Code.INVALID_ARGUMENT, WRONG_PASSWORD);
    KV kv = reader(resources, "another password").getKVClient();
    equal(get(kv.get(key)).getCount(), 1L);
    get(auth.userRevokeRole(READER, READING));
    refused(kv.get(key), Status.Code.PERMISSION_DENIED, DENIED);
  }

  private static void cleanUp(Checks.Resources resources) throws Exception {
    get(root(resources).getAuthClient().authDisable());
    Client client = resources.use(Servers.auth());
    Auth auth = client.getAuthClient();
    for (String user : get(auth.userList()).getUsers()) {
      get(auth.userDelete(bytes(user)));
    }
    for (String role : get(auth.roleList()).getRoles()) {
      get(auth.roleDelete(bytes(role)));
    }
    equal(get(auth.userList()).getUsers().size() + get(auth.roleList()).getRoles().size(), 0);
    get(client.getKVClient().delete(ALLOWED, DELETE_PREFIX));
    get(client.getKVClient().delete(ELSEWHERE));
  }

  private static Client root(Checks.Resources resources) {
    return resources.use(Servers.asUser("root", "root-password"));
  }

  private static Client reader(Checks.Resources resources, String password) {
    return resources.use(Servers.asUser("reader", password));
  }
}
