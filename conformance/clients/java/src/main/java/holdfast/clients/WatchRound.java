package holdfast.clients;

import static holdfast.clients.Checks.equal;
import static holdfast.clients.Checks.get;
import static holdfast.clients.Servers.bytes;
import static holdfast.clients.Servers.concat;
import static holdfast.clients.Servers.freshName;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.KV;
import io.etcd.jetcd.common.exception.CompactedException;
import java.util.List;

/** Watches: order, previous values, history, resuming after a lost connection, compaction. */
final class WatchRound {
  private WatchRound() {}

  static void run(Checks checks) {
    checks.run("watch: puts and deletions in order, with previous values", WatchRound::inOrder);
    checks.run("watch: from an older revision", WatchRound::fromHistory);
    checks.run("watch: resumes after cuts and delivers every event exactly once", WatchRound::resumes);
    checks.run("watch: a compacted start revision ends it with the compacted revision", WatchRound::compacted);
  }

  private static void inOrder(Checks.Resources resources) throws Exception {
    Client client = resources.use(Servers.plain());
    KV kv = client.getKVClient();
    ByteSequence key = freshName("order");
    long revision = get(kv.get(key)).getHeader().getRevision();
    Events events = resources.use(new Events(client, key, revision + 1));
    get(kv.put(key, bytes("one")));
    get(kv.put(key, bytes("two")));
    get(kv.delete(key));
    equal(events.nextInWords(), "PUT one ");
    equal(events.nextInWords(), "PUT two one");
    equal(events.nextInWords(), "DELETE  two");
  }

  private static void fromHistory(Checks.Resources resources) throws Exception {
    Client client = resources.use(Servers.plain());
    KV kv = client.getKVClient();
    ByteSequence key = freshName("history");
    long first = get(kv.put(key, bytes("one"))).getHeader().getRevision();
    get(kv.put(key, bytes("two")));
    Events events = resources.use(new Events(client, key, first));
    get(kv.put(key, bytes("three")));
    for (String value : List.of("one", "two", "three")) {
      equal(events.next().getKeyValue().getValue(), bytes(value));
    }
  }

  private static void resumes(Checks.Resources resources) throws Exception {
    KV kv = resources.use(Servers.plain()).getKVClient();
    ByteSequence prefix = freshName("resume/");
    long revision = get(kv.get(prefix)).getHeader().getRevision();
    Events events = resources.use(new Events(resources.use(Servers.throughProxy()), prefix, revision + 1));
    for (int round = 0; round < 2; round += 1) {
      put(kv, prefix, "before-1");
      put(kv, prefix, "before-2");
      equal(events.next().getKeyValue().getValue(), bytes("before-1"));
      Servers.cutProxy();
      put(kv, prefix, "while-cut");
      equal(events.next().getKeyValue().getValue(), bytes("before-2"));
      equal(events.next().getKeyValue().getValue(), bytes("while-cut"));
      put(kv, prefix, "after");
      equal(events.next().getKeyValue().getValue(), bytes("after"));
    }
  }

  private static void put(KV kv, ByteSequence prefix, String value) throws Exception {
    get(kv.put(concat(prefix, value), bytes(value)));
  }

  private static void compacted(Checks.Resources resources) throws Exception {
    Client client = resources.use(Servers.plain());
    KV kv = client.getKVClient();
    ByteSequence key = freshName("compacted");
    long first = get(kv.put(key, bytes("one"))).getHeader().getRevision();
    long second = get(kv.put(key, bytes("two"))).getHeader().getRevision();
    get(kv.compact(second));
    Events events = resources.use(new Events(client, key, first));
    if (!(events.error() instanceof CompactedException error)) {
      throw new AssertionError("ended with " + events.error());
    }
    equal(error.getCompactedRevision(), second);
  }
}
