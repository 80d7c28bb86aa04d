package main

// Leases, and the sessions that the concurrency package builds on them.

import (
	"context"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

const (
	shortTTLSeconds = 2
	keptAlive       = 3 * time.Second
)

func checkLease(c *clientv3.Client) {
	check("lease: kept alive beyond its TTL, then expires with its keys", func(t *test) { checkKeepAlive(t, c) })
	check("lease: time to live, attached keys, list", func(t *test) {
		lease, err := c.Grant(t.ctx, 60)
		t.no(err)
		t.put(c, t.prefix+"a", "1", clientv3.WithLease(lease.ID))
		left, err := c.TimeToLive(t.ctx, lease.ID, clientv3.WithAttachedKeys())
		t.no(err)
		t.equal("granted", left.GrantedTTL, int64(60))
		t.that("time left is near the TTL", left.TTL > 50 && left.TTL <= 60)
		t.equal("keys", string(left.Keys[0]), t.prefix+"a")
		listed, err := c.Leases(t.ctx)
		t.no(err)
		t.that("the lease is listed", hasLease(listed, lease.ID))
		_, err = c.Revoke(t.ctx, lease.ID)
		t.no(err)
	})
	check("lease: revoke deletes its keys", func(t *test) {
		lease, err := c.Grant(t.ctx, 60)
		t.no(err)
		t.put(c, t.prefix+"a", "1", clientv3.WithLease(lease.ID))
		_, err = c.Revoke(t.ctx, lease.ID)
		t.no(err)
		t.equal("left", t.values(c, t.prefix+"a"), []string{})
	})
	check("lease: typed answers for one that is gone", func(t *test) {
		_, err := c.Revoke(t.ctx, 4711)
		t.wants(rpctypes.ErrLeaseNotFound, err)
		_, err = c.KeepAliveOnce(t.ctx, 4711)
		t.wants(rpctypes.ErrLeaseNotFound, err)
		left, err := c.TimeToLive(t.ctx, 4711)
		t.no(err)
		t.equal("time to live", left.TTL, int64(-1))
		_, err = c.Grant(t.ctx, 9_000_000_001)
		t.wants(rpctypes.ErrLeaseTTLTooLarge, err)
	})
	check("lease: a put without the lease detaches the key", func(t *test) {
		lease, err := c.Grant(t.ctx, 60)
		t.no(err)
		t.put(c, t.prefix+"a", "1", clientv3.WithLease(lease.ID))
		t.put(c, t.prefix+"a", "2", clientv3.WithIgnoreLease())
		left, err := c.TimeToLive(t.ctx, lease.ID, clientv3.WithAttachedKeys())
		t.no(err)
		t.equal("keys while kept", len(left.Keys), 1)
		t.put(c, t.prefix+"a", "3")
		_, err = c.Revoke(t.ctx, lease.ID)
		t.no(err)
		t.equal("left", t.values(c, t.prefix+"a"), []string{"a=3"})
	})
}

func hasLease(listed *clientv3.LeaseLeasesResponse, id clientv3.LeaseID) bool {
	for _, lease := range listed.Leases {
		if lease.ID == id {
			return true
		}
	}
	return false
}

func checkKeepAlive(t *test, c *clientv3.Client) {
	lease, err := c.Grant(t.ctx, shortTTLSeconds)
	t.no(err)
	watch := t.watch(c, clientv3.WithPrefix())
	t.put(c, t.prefix+"a", "1", clientv3.WithLease(lease.ID))
	ctx, stop := context.WithCancel(t.ctx)
	defer stop()
	answers, err := c.KeepAlive(ctx, lease.ID)
	t.no(err)
	started := time.Now()
	renewals := 0
	for time.Since(started) < keptAlive {
		t.equal("renewed TTL", receive(t, "renewal", answers).TTL, int64(shortTTLSeconds))
		renewals++
	}
	t.that("several renewals", renewals >= 2)
	t.equal("while kept alive", t.values(c, t.prefix+"a"), []string{"a=1"})
	stop()
	t.equal("events", t.events(watch, 2), []string{"PUT a=1", "DELETE a="})
	_, err = c.KeepAliveOnce(t.ctx, lease.ID)
	t.wants(rpctypes.ErrLeaseNotFound, err)
}

func checkSessions(c *clientv3.Client) {
	check("session: outlives its TTL, close revokes the lease", func(t *test) {
		session := t.session(c, shortTTLSeconds)
		t.put(c, t.prefix+"a", "1", clientv3.WithLease(session.Lease()))
		select {
		case <-session.Done():
			t.fail("the session ended although it is kept alive")
		case <-time.After(keptAlive):
		}
		t.equal("while it lives", t.values(c, t.prefix+"a"), []string{"a=1"})
		t.no(session.Close())
		t.equal("after close", t.values(c, t.prefix+"a"), []string{})
	})
	check("session: done when its lease is revoked by another", func(t *test) {
		session := t.session(c, shortTTLSeconds)
		_, err := c.Revoke(t.ctx, session.Lease())
		t.no(err)
		select {
		case <-session.Done():
		case <-t.ctx.Done():
			t.fail("the session does not notice")
		}
	})
	check("session: taken over by its lease", func(t *test) {
		first := t.session(c, 60)
		first.Orphan()
		second, err := concurrency.NewSession(c, concurrency.WithLease(first.Lease()))
		t.no(err)
		t.equal("lease", second.Lease(), first.Lease())
		t.no(second.Close())
		left, err := c.TimeToLive(t.ctx, first.Lease())
		t.no(err)
		t.equal("time to live", left.TTL, int64(-1))
	})
}
