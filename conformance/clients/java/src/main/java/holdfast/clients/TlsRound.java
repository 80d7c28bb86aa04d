package holdfast.clients;

import static holdfast.clients.Checks.equal;
import static holdfast.clients.Checks.get;
import static holdfast.clients.Checks.refused;
import static holdfast.clients.Servers.bytes;
import static holdfast.clients.Servers.freshName;
import static holdfast.clients.Servers.queueKey;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.KV;
import io.grpc.Status;

/** TLS with a client certificate: the server proves itself, and so must the client. */
final class TlsRound {
  private TlsRound() {}

  static void run(Checks checks) {
    checks.run("tls: put and get with a client certificate", TlsRound::putAndGet);
    checks.run("tls: a watch, a lease and a lock over it", TlsRound::watchLeaseAndLock);
    checks.run("tls: refused without a client certificate", TlsRound::withoutCertificate);
    checks.run("tls: the client refuses a server of an unknown authority", TlsRound::unknownAuthority);
  }

  private static void putAndGet(Checks.Resources resources) throws Exception {
    KV kv = resources.use(Servers.secure("HOLDFAST_TLS_CA", true)).getKVClient();
    ByteSequence key = freshName("tls");
    get(kv.put(key, bytes("secret")));
    equal(get(kv.get(key)).getKvs().get(0).getValue(), bytes("secret"));
  }

  private static void watchLeaseAndLock(Checks.Resources resources) throws Exception {
    Client client = resources.use(Servers.secure("HOLDFAST_TLS_CA", true));
    ByteSequence name = freshName("tls-lock");
    long lease = get(client.getLeaseClient().grant(10)).getID();
    ByteSequence key = get(client.getLockClient().lock(name, lease)).getKey();
    equal(key, queueKey(name, lease));
    long revision = get(client.getKVClient().get(key)).getHeader().getRevision();
    Events events = resources.use(new Events(client, name, revision + 1));
    get(client.getLeaseClient().revoke(lease));
    events.nextIsDeletionOf(key);
  }

  private static void withoutCertificate(Checks.Resources resources) throws Exception {
    onlyWithTheRightFiles(resources, Servers.secure("HOLDFAST_TLS_CA", false));
  }

  private static void unknownAuthority(Checks.Resources resources) throws Exception {
    // A certificate that has signed nothing, so it vouches for no server.
    onlyWithTheRightFiles(resources, Servers.secure("HOLDFAST_TLS_CERT", true));
  }

  /** The server answers a client that has everything, so it is there; the other client reaches nobody. */
  private static void onlyWithTheRightFiles(Checks.Resources resources, Client other) throws Exception {
    ByteSequence key = freshName("refused");
    equal(get(resources.use(Servers.secure("HOLDFAST_TLS_CA", true)).getKVClient().get(key)).getCount(), 0L);
    refused(resources.use(other).getKVClient().get(key), Status.Code.UNAVAILABLE, "");
  }
}
