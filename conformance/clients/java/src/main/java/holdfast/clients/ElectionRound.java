package holdfast.clients;

import static holdfast.clients.Checks.equal;
import static holdfast.clients.Checks.get;
import static holdfast.clients.Checks.raises;
import static holdfast.clients.Servers.bytes;
import static holdfast.clients.Servers.freshName;
import static holdfast.clients.Servers.queueKey;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.Election;
import io.etcd.jetcd.election.CampaignResponse;
import io.etcd.jetcd.election.LeaderKey;
import io.etcd.jetcd.election.LeaderResponse;
import io.etcd.jetcd.election.NoLeaderException;
import io.etcd.jetcd.election.NotLeaderException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The Election service: candidates in order, proclamation, resignation, observers. */
final class ElectionRound {
  private ElectionRound() {}

  /** A client with a lease of its own that stands for election. */
  private static final class Candidate {
    final Client client;
    final Election election;
    final long lease;
    private final Future<CampaignResponse> answer;

    /** Stands for election; returns when the candidate has its place in the queue. */
    Candidate(Checks.Resources resources, ByteSequence name, String value) throws Exception {
      client = resources.use(Servers.plain());
      election = client.getElectionClient();
      lease = get(client.getLeaseClient().grant(10)).getID();
      ByteSequence key = queueKey(name, lease);
      long revision = get(client.getKVClient().get(key)).getHeader().getRevision();
      Events events = resources.use(new Events(client, key, revision + 1));
      answer = election.campaign(name, lease, bytes(value));
      equal(events.next().getKeyValue().getKey(), key);
    }

    /** Waits until the candidate leads. */
    LeaderKey leads() throws Exception {
      return get(answer).getLeader();
    }
  }

  static void run(Checks checks) {
    checks.run("election: three candidates lead in the order they came", ElectionRound::inOrder);
    checks.run("election: the leader key names the key, its revision and its lease", ElectionRound::leaderKey);
    checks.run("election: a leader proclaims, and is refused once it has resigned", ElectionRound::proclamation);
    checks.run("election: a leader whose lease is gone is followed by the next", ElectionRound::lostWithLease);
    checks.run("election: an observer sees every leader and every proclamation", ElectionRound::observed);
    checks.run("election: no leader is an error of its own", ElectionRound::noLeader);
  }

  private static void inOrder(Checks.Resources resources) throws Exception {
    ByteSequence name = freshName("order");
    List<Candidate> queue = new ArrayList<>();
    for (int index = 0; index < 3; index += 1) {
      queue.add(new Candidate(resources, name, "candidate " + index));
    }
    for (int index = 0; index < 3; index += 1) {
      LeaderKey key = queue.get(index).leads();
      equal(leaderOf(queue.get(0), name), "candidate " + index);
      for (Candidate waiting : queue.subList(index + 1, 3)) {
        equal(waiting.answer.isDone(), false);
      }
      get(queue.get(index).election.resign(key));
    }
  }

  private static void leaderKey(Checks.Resources resources) throws Exception {
    ByteSequence name = freshName("key");
    Candidate candidate = new Candidate(resources, name, "alone");
    LeaderKey key = candidate.leads();
    equal(key.getName(), name);
    equal(key.getKey(), queueKey(name, candidate.lease));
    equal(key.getLease(), candidate.lease);
    LeaderResponse leader = get(candidate.election.leader(name));
    equal(leader.getKv().getCreateRevision(), key.getRevision());
    get(candidate.election.resign(key));
  }

  private static void proclamation(Checks.Resources resources) throws Exception {
    ByteSequence name = freshName("proclamation");
    Candidate candidate = new Candidate(resources, name, "one");
    LeaderKey key = candidate.leads();
    get(candidate.election.proclaim(key, bytes("two")));
    equal(leaderOf(candidate, name), "two");
    get(candidate.election.resign(key));
    raises(candidate.election.proclaim(key, bytes("three")), NotLeaderException.class);
  }

  private static void lostWithLease(Checks.Resources resources) throws Exception {
    ByteSequence name = freshName("lost");
    Candidate first = new Candidate(resources, name, "first");
    Candidate second = new Candidate(resources, name, "second");
    LeaderKey lost = first.leads();
    get(first.client.getLeaseClient().revoke(first.lease));
    LeaderKey key = second.leads();
    equal(leaderOf(second, name), "second");
    raises(first.election.proclaim(lost, bytes("still here")), NotLeaderException.class);
    get(second.election.resign(key));
  }

  private static void observed(Checks.Resources resources) throws Exception {
    ByteSequence name = freshName("observed");
    Candidate first = new Candidate(resources, name, "one");
    LeaderKey firstKey = first.leads();
    Leaders leaders = new Leaders();
    resources.use(Servers.plain()).getElectionClient().observe(name, leaders);
    equal(leaders.next(), "one");
    get(first.election.proclaim(firstKey, bytes("two")));
    equal(leaders.next(), "two");
    Candidate second = new Candidate(resources, name, "three");
    get(first.election.resign(firstKey));
    equal(leaders.next(), "three");
    get(second.election.resign(second.leads()));
  }

  private static void noLeader(Checks.Resources resources) throws Exception {
    Client client = resources.use(Servers.plain());
    raises(client.getElectionClient().leader(freshName("nobody")), NoLeaderException.class);
  }

  private static String leaderOf(Candidate candidate, ByteSequence name) throws Exception {
    return get(candidate.election.leader(name)).getKv().getValue().toString();
  }

  /** What the leaders proclaim, one by one. */
  private static final class Leaders implements Election.Listener {
    private final BlockingQueue<String> values = new LinkedBlockingQueue<>();

    String next() throws InterruptedException {
      return values.poll(25, TimeUnit.SECONDS);
    }

    @Override
    public void onNext(LeaderResponse response) {
      values.add(response.getKv().getValue().toString());
    }

    @Override
    public void onError(Throwable error) {
      values.add("ended with " + error);
    }

    @Override
    public void onCompleted() {}
  }
}
