package holdfast.clients;

import static holdfast.clients.Checks.equal;
import static holdfast.clients.Checks.get;
import static holdfast.clients.Checks.refused;
import static holdfast.clients.Servers.bytes;
import static holdfast.clients.Servers.concat;
import static holdfast.clients.Servers.freshName;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.KV;
import io.etcd.jetcd.kv.GetResponse;
import io.etcd.jetcd.kv.TxnResponse;
import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.CompactOption;
import io.etcd.jetcd.options.DeleteOption;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.PutOption;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;

/** Keys: values, ranges, history, deletion, compaction, transactions. */
final class KvRound {
  private KvRound() {}

  static void run(Checks checks) {
    checks.run("kv: put and get bytes as they are", KvRound::putAndGet);
    checks.run("kv: a prefix in key order, sorted otherwise, and counted", KvRound::prefix);
    checks.run("kv: get at an older revision", KvRound::history);
    checks.run("kv: delete a key and a prefix", KvRound::deletion);
    checks.run("kv: a compacted revision is refused as out of range", KvRound::compaction);
    checks.run("txn: the then branch and the else branch", KvRound::branches);
    checks.run("txn: of four clients that create one key, one wins", KvRound::race);
  }

  private static void putAndGet(Checks.Resources resources) throws Exception {
    KV kv = resources.use(Servers.plain()).getKVClient();
    ByteSequence key = freshName("bytes");
    ByteSequence value = ByteSequence.from(new byte[] {0, -1, -128, 10});
    get(kv.put(key, value));
    equal(valuesOf(get(kv.get(key))), List.of(value));
    equal(valuesOf(get(kv.get(freshName("missing")))), List.of());
    PutOption withPrevious = PutOption.builder().withPrevKV().build();
    equal(get(kv.put(key, ByteSequence.EMPTY, withPrevious)).getPrevKv().getValue(), value);
    equal(valuesOf(get(kv.get(key))), List.of(ByteSequence.EMPTY));
  }

  private static void prefix(Checks.Resources resources) throws Exception {
    KV kv = resources.use(Servers.plain()).getKVClient();
    ByteSequence start = freshName("prefix/");
    for (String letter : List.of("b", "a", "c")) {
      get(kv.put(concat(start, letter), bytes(letter)));
    }
    GetResponse inOrder = get(kv.get(start, GetOption.builder().isPrefix(true).build()));
    equal(valuesOf(inOrder), List.of(bytes("a"), bytes("b"), bytes("c")));
    GetOption newestFirst =
        GetOption.builder()
            .isPrefix(true)
            .withSortField(GetOption.SortTarget.CREATE)
            .withSortOrder(GetOption.SortOrder.DESCEND)
            .withLimit(2)
            .build();
    equal(valuesOf(get(kv.get(start, newestFirst))), List.of(bytes("c"), bytes("a")));
    equal(get(kv.get(start, GetOption.builder().isPrefix(true).withCountOnly(true).build())).getCount(), 3L);
  }

  private static void history(Checks.Resources resources) throws Exception {
    KV kv = resources.use(Servers.plain()).getKVClient();
    ByteSequence key = freshName("history");
    long first = get(kv.put(key, bytes("one"))).getHeader().getRevision();
    long second = get(kv.put(key, bytes("two"))).getHeader().getRevision();
    long third = get(kv.delete(key)).getHeader().getRevision();
    equal(valuesOf(get(kv.get(key, at(first)))), List.of(bytes("one")));
    equal(valuesOf(get(kv.get(key, at(second)))), List.of(bytes("two")));
    equal(valuesOf(get(kv.get(key, at(third)))), List.of());
  }

  private static void deletion(Checks.Resources resources) throws Exception {
    KV kv = resources.use(Servers.plain()).getKVClient();
    ByteSequence start = freshName("delete/");
    for (String letter : List.of("a", "b", "c")) {
      get(kv.put(concat(start, letter), bytes(letter)));
    }
    DeleteOption withPrevious = DeleteOption.builder().withPrevKV(true).build();
    equal(get(kv.delete(concat(start, "a"), withPrevious)).getPrevKvs().get(0).getValue(), bytes("a"));
    DeleteOption all = DeleteOption.builder().isPrefix(true).build();
    equal(get(kv.delete(start, all)).getDeleted(), 2L);
    equal(get(kv.delete(start, all)).getDeleted(), 0L);
  }

  private static void compaction(Checks.Resources resources) throws Exception {
    KV kv = resources.use(Servers.plain()).getKVClient();
    ByteSequence key = freshName("compaction");
    long first = get(kv.put(key, bytes("one"))).getHeader().getRevision();
    long second = get(kv.put(key, bytes("two"))).getHeader().getRevision();
    get(kv.compact(second, CompactOption.builder().withCompactPhysical(true).build()));
    refused(kv.get(key, at(first)), Status.Code.OUT_OF_RANGE, "required revision has been compacted");
    equal(valuesOf(get(kv.get(key, at(second)))), List.of(bytes("two")));
  }

  private static void branches(Checks.Resources resources) throws Exception {
    KV kv = resources.use(Servers.plain()).getKVClient();
    ByteSequence key = freshName("branches");
    equal(get(claim(kv, key, "first")).isSucceeded(), true);
    TxnResponse second = get(claim(kv, key, "second"));
    equal(second.isSucceeded(), false);
    equal(valuesOf(second.getGetResponses().get(0)), List.of(bytes("first")));
  }

  private static void race(Checks.Resources resources) throws Exception {
    ByteSequence key = freshName("race");
    List<Future<TxnResponse>> claims = new ArrayList<>();
    for (int client = 0; client < 4; client += 1) {
      claims.add(claim(resources.use(Servers.plain()).getKVClient(), key, "client " + client));
    }
    List<ByteSequence> winners = new ArrayList<>();
    for (int client = 0; client < 4; client += 1) {
      if (get(claims.get(client)).isSucceeded()) {
        winners.add(bytes("client " + client));
      }
    }
    equal(winners.size(), 1);
    equal(valuesOf(get(resources.use(Servers.plain()).getKVClient().get(key))), winners);
  }

  private static Future<TxnResponse> claim(KV kv, ByteSequence key, String value) {
    return kv.txn()
        .If(new Cmp(key, Cmp.Op.EQUAL, CmpTarget.createRevision(0)))
        .Then(Op.put(key, bytes(value), PutOption.DEFAULT))
        .Else(Op.get(key, GetOption.DEFAULT))
        .commit();
  }

  private static GetOption at(long revision) {
    return GetOption.builder().withRevision(revision).build();
  }

  private static List<ByteSequence> valuesOf(GetResponse response) {
    return response.getKvs().stream().map(kv -> kv.getValue()).toList();
  }
}
