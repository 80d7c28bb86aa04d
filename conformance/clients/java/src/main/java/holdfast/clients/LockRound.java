package holdfast.clients;

import static holdfast.clients.Checks.equal;
import static holdfast.clients.Checks.get;
import static holdfast.clients.Checks.refused;
import static holdfast.clients.Servers.bytes;
import static holdfast.clients.Servers.concat;
import static holdfast.clients.Servers.freshName;
import static holdfast.clients.Servers.queueKey;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.lock.LockResponse;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;

/** The Lock service: a queue of contenders, handed over by unlocking or by the end of the holder's lease. */
final class LockRound {
  private LockRound() {}

  /** A client with a lease of its own that asks for a lock, and its place in the queue. */
  private static final class Contender {
    final Client client;
    final long lease;
    final ByteSequence key;
    private final ByteSequence name;
    private Future<LockResponse> answer;

    Contender(Checks.Resources resources, ByteSequence name) throws Exception {
      this.client = resources.use(Servers.plain());
      this.name = name;
      this.lease = get(client.getLeaseClient().grant(10)).getID();
      this.key = queueKey(name, lease);
    }

    /** Asks for the lock; returns when the contender has its place in the queue. */
    Contender enter(Checks.Resources resources) throws Exception {
      long revision = get(client.getKVClient().get(key)).getHeader().getRevision();
      Events events = resources.use(new Events(client, key, revision + 1));
      answer = client.getLockClient().lock(name, lease);
      equal(events.next().getKeyValue().getKey(), key);
      return this;
    }

    /** Waits until the contender holds the lock. */
    void holds() throws Exception {
      equal(get(answer).getKey(), key);
    }

    void unlock() throws Exception {
      get(client.getLockClient().unlock(key));
    }

    void revokeLease() throws Exception {
      get(client.getLeaseClient().revoke(lease));
    }
  }

  static void run(Checks checks) {
    checks.run("lock: three contenders get it in the order they came", LockRound::inOrder);
    checks.run("lock: the holder that asks again gets the same key at once", LockRound::again);
    checks.run("lock: lost with its lease, and handed to the next", LockRound::lostWithLease);
    checks.run("lock: a waiter whose lease is revoked fails and holds nobody up", LockRound::waiterLostLease);
    checks.run("lock: a waiter whose connection ends leaves the queue", LockRound::waiterGone);
    checks.run("lock: a lease that does not exist is refused", LockRound::unknownLease);
  }

  private static void inOrder(Checks.Resources resources) throws Exception {
    ByteSequence name = freshName("order");
    List<Contender> queue = new ArrayList<>();
    for (int index = 0; index < 3; index += 1) {
      queue.add(new Contender(resources, name).enter(resources));
    }
    for (int index = 0; index < 3; index += 1) {
      queue.get(index).holds();
      for (Contender waiting : queue.subList(index + 1, 3)) {
        equal(waiting.answer.isDone(), false);
      }
      queue.get(index).unlock();
    }
  }

  private static void again(Checks.Resources resources) throws Exception {
    Contender holder = new Contender(resources, freshName("again")).enter(resources);
    holder.holds();
    equal(get(holder.client.getLockClient().lock(holder.name, holder.lease)).getKey(), holder.key);
    holder.unlock();
  }

  private static void lostWithLease(Checks.Resources resources) throws Exception {
    ByteSequence name = freshName("lost");
    Contender holder = new Contender(resources, name).enter(resources);
    Contender next = new Contender(resources, name).enter(resources);
    holder.holds();
    holder.revokeLease();
    next.holds();
    next.unlock();
  }

  private static void waiterLostLease(Checks.Resources resources) throws Exception {
    ByteSequence name = freshName("waiter");
    Contender holder = new Contender(resources, name).enter(resources);
    Contender waiter = new Contender(resources, name).enter(resources);
    Contender last = new Contender(resources, name).enter(resources);
    waiter.revokeLease();
    holder.holds();
    // etcd tells the waiter only now that its turn would have come; Holdfast has told it already (LOCK-16).
    holder.unlock();
    refused(waiter.answer, Status.Code.UNKNOWN, "mutex: session is expired");
    last.holds();
    last.unlock();
  }

  private static void waiterGone(Checks.Resources resources) throws Exception {
    ByteSequence name = freshName("gone");
    Contender holder = new Contender(resources, name).enter(resources);
    Contender waiter = new Contender(resources, name).enter(resources);
    long revision = get(holder.client.getKVClient().get(waiter.key)).getHeader().getRevision();
    Events events = resources.use(new Events(holder.client, concat(name, "/"), revision + 1));
    waiter.client.close();
    events.nextIsDeletionOf(waiter.key);
    holder.holds();
    holder.unlock();
  }

  private static void unknownLease(Checks.Resources resources) throws Exception {
    Contender contender = new Contender(resources, freshName("unknown"));
    contender.revokeLease();
    Future<LockResponse> answer = contender.client.getLockClient().lock(bytes("unknown"), contender.lease);
    refused(answer, Status.Code.UNKNOWN, "requested lease not found");
  }
}
