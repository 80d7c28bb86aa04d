package main

// Elections: the concurrency package's Election, and the server's Election service.

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3election/v3electionpb"
)

func checkElection(c *clientv3.Client) {
	check("election: campaign, observe, proclaim, resign", func(t *test) { checkTwoCandidates(t, c) })
	check("election: no leader at first, and none but the leader proclaims", func(t *test) {
		election := concurrency.NewElection(t.session(c, 60), t.prefix+"e")
		_, err := election.Leader(t.ctx)
		t.wants(concurrency.ErrElectionNoLeader, err)
		t.wants(concurrency.ErrElectionNotLeader, election.Proclaim(t.ctx, "x"))
	})
	check("election: a leader whose session ends is succeeded", func(t *test) {
		dying := t.session(c, shortTTLSeconds)
		one := concurrency.NewElection(dying, t.prefix+"e")
		two := concurrency.NewElection(t.session(c, 60), t.prefix+"e")
		t.no(one.Campaign(t.ctx, "one"))
		waiting := t.start(func() error { return two.Campaign(t.ctx, "two") })
		t.pending("the second campaign", waiting)
		dying.Orphan()
		t.done("the second campaign", waiting)
		t.equal("leader", t.leader(two), "two")
	})
	check("election: a cancelled campaign leaves no key", func(t *test) {
		one := concurrency.NewElection(t.session(c, 60), t.prefix+"e")
		two := concurrency.NewElection(t.session(c, 60), t.prefix+"e")
		t.no(one.Campaign(t.ctx, "one"))
		ctx, cancel := context.WithCancel(t.ctx)
		waiting := t.start(func() error { return two.Campaign(ctx, "two") })
		t.pending("the second campaign", waiting)
		cancel()
		t.wants(context.Canceled, receive(t, "the cancelled campaign", waiting))
		t.equal("keys", len(t.values(c, t.prefix+"e", clientv3.WithPrefix())), 1)
	})
	check("election: resumed by a new program", func(t *test) {
		session := t.session(c, 60)
		before := concurrency.NewElection(session, t.prefix+"e")
		t.no(before.Campaign(t.ctx, "one"))
		after := concurrency.ResumeElection(session, t.prefix+"e", before.Key(), before.Rev())
		t.no(after.Proclaim(t.ctx, "two"))
		t.equal("leader", t.leader(before), "two")
		t.no(after.Resign(t.ctx))
		_, err := before.Leader(t.ctx)
		t.wants(concurrency.ErrElectionNoLeader, err)
	})
	check("election service: in one queue with the package", func(t *test) { checkElectionService(t, c) })
}

func checkTwoCandidates(t *test, c *clientv3.Client) {
	one := concurrency.NewElection(t.session(c, 60), t.prefix+"e")
	two := concurrency.NewElection(t.session(c, 60), t.prefix+"e")
	observed := concurrency.NewElection(t.session(c, 60), t.prefix+"e").Observe(t.ctx)
	seen := func() string { return string(receive(t, "observed leader", observed).Kvs[0].Value) }
	t.no(one.Campaign(t.ctx, "one"))
	t.equal("observed first", seen(), "one")
	waiting := t.start(func() error { return two.Campaign(t.ctx, "two") })
	t.pending("the second campaign", waiting)
	t.no(one.Proclaim(t.ctx, "one again"))
	t.equal("observed then", seen(), "one again")
	t.no(one.Resign(t.ctx))
	t.done("the second campaign", waiting)
	t.equal("observed at last", seen(), "two")
	t.equal("leader", t.leader(one), "two")
	t.wants(concurrency.ErrElectionNotLeader, one.Proclaim(t.ctx, "one"))
}

func (t *test) leader(election *concurrency.Election) string {
	answer, err := election.Leader(t.ctx)
	t.no(err)
	return string(answer.Kvs[0].Value)
}

func checkElectionService(t *test, c *clientv3.Client) {
	service := v3electionpb.NewElectionClient(c.ActiveConnection())
	name := []byte(t.prefix + "e")
	lease := int64(t.session(c, 60).Lease())
	won, err := service.Campaign(t.ctx, &v3electionpb.CampaignRequest{Name: name, Lease: lease, Value: []byte("rpc")})
	t.no(err)
	rival := concurrency.NewElection(t.session(c, 60), string(name))
	waiting := t.start(func() error { return rival.Campaign(t.ctx, "package") })
	t.pending("the rival's campaign", waiting)
	t.equal("leader", t.leader(rival), "rpc")
	stream, err := service.Observe(t.ctx, &v3electionpb.LeaderRequest{Name: name})
	t.no(err)
	observed, err := stream.Recv()
	t.no(err)
	t.equal("observed", string(observed.Kv.Value), "rpc")
	_, err = service.Proclaim(t.ctx, &v3electionpb.ProclaimRequest{Leader: won.Leader, Value: []byte("rpc 2")})
	t.no(err)
	observed, err = stream.Recv()
	t.no(err)
	t.equal("observed after proclaim", string(observed.Kv.Value), "rpc 2")
	_, err = service.Resign(t.ctx, &v3electionpb.ResignRequest{Leader: won.Leader})
	t.no(err)
	t.done("the rival's campaign", waiting)
	leader, err := service.Leader(t.ctx, &v3electionpb.LeaderRequest{Name: name})
	t.no(err)
	t.equal("leader by the service", string(leader.Kv.Value), "package")
}
