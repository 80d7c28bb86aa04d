package holdfast.clients;

import static holdfast.clients.Checks.equal;
import static holdfast.clients.Checks.get;
import static holdfast.clients.Checks.refused;
import static holdfast.clients.Servers.bytes;
import static holdfast.clients.Servers.freshName;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.KV;
import io.etcd.jetcd.Lease;
import io.etcd.jetcd.lease.LeaseKeepAliveResponse;
import io.etcd.jetcd.lease.LeaseTimeToLiveResponse;
import io.etcd.jetcd.options.LeaseOption;
import io.etcd.jetcd.options.PutOption;
import io.etcd.jetcd.support.CloseableClient;
import io.etcd.jetcd.support.Observers;
import io.grpc.Status;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Leases: kept alive by the client, expired when it stops, revoked, lost. */
final class LeaseRound {
  private static final long TTL_SECONDS = 2;
  private static final long KEPT_ALIVE_NANOS = TimeUnit.MILLISECONDS.toNanos(TTL_SECONDS * 1600);

  private LeaseRound() {}

  static void run(Checks checks) {
    checks.run("lease: kept alive past its TTL, then stopped and expired with its key", LeaseRound::keptAlive);
    checks.run("lease: revoked with its keys, and unknown afterwards", LeaseRound::revoked);
    checks.run("lease: the keepalive of a lease that is gone fails", LeaseRound::lost);
    checks.run("lease: time to live and the keys attached", LeaseRound::timeToLive);
  }

  private static void keptAlive(Checks.Resources resources) throws Exception {
    Client client = resources.use(Servers.plain());
    ByteSequence key = freshName("alive");
    long lease = get(client.getLeaseClient().grant(TTL_SECONDS)).getID();
    long revision = putUnder(client, key, lease);
    Events events = resources.use(new Events(client, key, revision + 1));

    long end = System.nanoTime() + KEPT_ALIVE_NANOS;
    CompletableFuture<Void> longEnough = new CompletableFuture<>();
    CloseableClient keepalive =
        client
            .getLeaseClient()
            .keepAlive(
                lease,
                Observers.<LeaseKeepAliveResponse>builder()
                    .onNext(answer -> completeAfter(end, longEnough))
                    .onError(longEnough::completeExceptionally)
                    .build());
    get(longEnough);
    equal(get(client.getKVClient().get(key)).getCount(), 1L);
    keepalive.close();
    events.nextIsDeletionOf(key);
    equal(get(client.getKVClient().get(key)).getCount(), 0L);
  }

  private static void completeAfter(long end, CompletableFuture<Void> future) {
    if (System.nanoTime() > end) {
      future.complete(null);
    }
  }

  private static void revoked(Checks.Resources resources) throws Exception {
    Client client = resources.use(Servers.plain());
    Lease leases = client.getLeaseClient();
    KV kv = client.getKVClient();
    ByteSequence key = freshName("revoked");
    long lease = get(leases.grant(60)).getID();
    putUnder(client, key, lease);
    get(leases.revoke(lease));
    equal(get(kv.get(key)).getCount(), 0L);
    refused(leases.revoke(lease), Status.Code.NOT_FOUND, "requested lease not found");
    PutOption underLease = PutOption.builder().withLeaseId(lease).build();
    refused(kv.put(key, bytes("too late"), underLease), Status.Code.NOT_FOUND, "requested lease not found");
  }

  private static void lost(Checks.Resources resources) throws Exception {
    Lease leases = resources.use(Servers.plain()).getLeaseClient();
    long lease = get(leases.grant(60)).getID();
    equal(get(leases.keepAliveOnce(lease)).getTTL(), 60L);
    get(leases.revoke(lease));
    refused(leases.keepAliveOnce(lease), Status.Code.NOT_FOUND, "lease not found");
  }

  private static void timeToLive(Checks.Resources resources) throws Exception {
    Client client = resources.use(Servers.plain());
    Lease leases = client.getLeaseClient();
    ByteSequence key = freshName("ttl");
    long lease = get(leases.grant(60)).getID();
    putUnder(client, key, lease);
    LeaseOption withKeys = LeaseOption.builder().withAttachedKeys().build();
    LeaseTimeToLiveResponse answer = get(leases.timeToLive(lease, withKeys));
    equal(answer.getGrantedTTL(), 60L);
    equal(answer.getTTL() > 0 && answer.getTTL() <= 60, true);
    equal(answer.getKeys(), List.of(key));
    get(leases.revoke(lease));
    equal(get(leases.timeToLive(lease, withKeys)).getTTL(), -1L);
  }

  private static long putUnder(Client client, ByteSequence key, long lease) throws Exception {
    PutOption underLease = PutOption.builder().withLeaseId(lease).build();
    return get(client.getKVClient().put(key, bytes("held"), underLease)).getHeader().getRevision();
  }
}
