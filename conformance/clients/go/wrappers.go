package main

// Packages that wrap or use the client: namespace, leasing, mirror, ordering, naming; and the cluster's and the
// member's own answers.

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/leasing"
	"go.etcd.io/etcd/client/v3/mirror"
	"go.etcd.io/etcd/client/v3/namespace"
	"go.etcd.io/etcd/client/v3/naming/endpoints"
	"go.etcd.io/etcd/client/v3/ordering"
	"google.golang.org/grpc"
)

func checkWrappers(c *clientv3.Client) {
	check("namespace: keys, watches and leases below a prefix", func(t *test) { checkNamespace(t, c) })
	check("leasing: answers from its cache until another writes", func(t *test) { checkLeasing(t, c) })
	check("mirror: the base, then the updates", func(t *test) { checkMirror(t, c) })
	check("ordering: reads do not go back", func(t *test) {
		violated := func(clientv3.Op, clientv3.OpResponse, int64) error { return ordering.ErrNoGreaterRev }
		kv := ordering.NewKV(c.KV, violated)
		for i := range 5 {
			t.put(c, t.prefix+"a", fmt.Sprint(i))
			t.equal("value", t.values(kv, t.prefix+"a", clientv3.WithSerializable()), []string{fmt.Sprintf("a=%d", i)})
		}
	})
	check("naming: endpoints are listed and watched", func(t *test) { checkNaming(t, c) })
}

func checkNamespace(t *test, c *clientv3.Client) {
	kv := namespace.NewKV(c.KV, t.prefix)
	watch := namespace.NewWatcher(c.Watcher, t.prefix).Watch(t.ctx, "", clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	receive(t, "created", watch)
	lease, err := c.Grant(t.ctx, 60)
	t.no(err)
	t.put(kv, "a", "1", clientv3.WithLease(lease.ID))
	t.equal("inside", t.values(kv, "", clientv3.WithPrefix()), []string{"a=1"})
	t.equal("outside", t.values(c, t.prefix+"a"), []string{"a=1"})
	t.equal("events", t.events(watch, 1), []string{"PUT a=1"})
	left, err := namespace.NewLease(c.Lease, t.prefix).TimeToLive(t.ctx, lease.ID, clientv3.WithAttachedKeys())
	t.no(err)
	t.equal("keys of the lease", string(left.Keys[0]), "a")
	answer, err := kv.Txn(t.ctx).If(clientv3.Compare(clientv3.Value("a"), "=", "1")).Then(clientv3.OpDelete("a")).Commit()
	t.no(err)
	t.equal("succeeded", answer.Succeeded, true)
	t.equal("left", t.values(c, t.prefix, clientv3.WithPrefix()), []string{})
}

func checkLeasing(t *test, c *clientv3.Client) {
	var calls atomic.Int64
	counting := configFor(c.Endpoints()[0])
	counting.DialOptions = []grpc.DialOption{grpc.WithChainUnaryInterceptor(countCalls(&calls))}
	counted, err := clientv3.New(counting)
	t.no(err)
	defer counted.Close()
	one, closeOne, err := leasing.NewKV(counted, t.prefix+"leases/")
	t.no(err)
	defer closeOne()
	two, closeTwo, err := leasing.NewKV(c, t.prefix+"leases/")
	t.no(err)
	defer closeTwo()
	key := t.prefix + "a"
	t.put(one, key, "1")
	t.equal("first read", t.values(one, key), []string{"a=1"})
	t.equal("leasing keys", len(t.values(c, t.prefix+"leases/", clientv3.WithPrefix())), 1)
	before := calls.Load()
	t.equal("second read", t.values(one, key), []string{"a=1"})
	t.equal("calls for the second read", calls.Load()-before, int64(0))
	t.put(two, key, "2")
	t.equal("after the other wrote", t.values(one, key), []string{"a=2"})
	txn, err := one.Txn(t.ctx).If(clientv3.Compare(clientv3.Value(key), "=", "2")).Then(clientv3.OpPut(key, "3")).Commit()
	t.no(err)
	t.equal("succeeded", txn.Succeeded, true)
	t.equal("seen by the other", t.values(two, key), []string{"a=3"})
}

func countCalls(calls *atomic.Int64) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, request, answer any, connection *grpc.ClientConn,
		invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
	) error {
		calls.Add(1)
		return invoke(ctx, method, request, answer, connection, opts...)
	}
}

func checkMirror(t *test, c *clientv3.Client) {
	const keys = 1200
	for i := 0; i < keys; i += 100 {
		ops := []clientv3.Op{}
		for j := range 100 {
			ops = append(ops, clientv3.OpPut(fmt.Sprintf("%s%04d", t.prefix, i+j), "v"))
		}
		_, err := c.Txn(t.ctx).Then(ops...).Commit()
		t.no(err)
	}
	syncer := mirror.NewSyncer(c, t.prefix, 0)
	pages, errs := syncer.SyncBase(t.ctx)
	copied, pageCount := 0, 0
	for page := range pages {
		copied += len(page.Kvs)
		pageCount++
	}
	t.no(<-errs)
	t.equal("keys copied", copied, keys)
	t.that("in several pages", pageCount > 1)
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	updates := syncer.SyncUpdates(ctx)
	t.put(c, t.prefix+"new", "1")
	t.equal("update", t.events(updates, 1), []string{"PUT new=1"})
}

func checkNaming(t *test, c *clientv3.Client) {
	service := strings.TrimSuffix(t.prefix, "/") + "/service"
	manager, err := endpoints.NewManager(c, service)
	t.no(err)
	watch, err := manager.NewWatchChannel(t.ctx)
	t.no(err)
	t.no(manager.AddEndpoint(t.ctx, service+"/a", endpoints.Endpoint{Addr: "127.0.0.1:1", Metadata: "m"}))
	added := receive(t, "added", watch)
	t.equal("address", added[0].Endpoint.Addr, "127.0.0.1:1")
	listed, err := manager.List(t.ctx)
	t.no(err)
	t.equal("listed", listed[service+"/a"].Addr, "127.0.0.1:1")
	t.no(manager.DeleteEndpoint(t.ctx, service+"/a"))
	t.equal("operation", receive(t, "deleted", watch)[0].Op, endpoints.Delete)
}

func checkMaintenance(c *clientv3.Client) {
	check("maintenance: status, members, sync of endpoints", func(t *test) {
		status, err := c.Status(t.ctx, c.Endpoints()[0])
		t.no(err)
		t.that("it has a leader", status.Leader != 0)
		members, err := c.MemberList(t.ctx)
		t.no(err)
		t.equal("members", len(members.Members), 1)
		t.equal("its id", members.Members[0].ID, status.Header.MemberId)
		t.no(c.Sync(t.ctx))
		t.put(c, t.prefix+"a", "1")
		t.equal("value", t.values(c, t.prefix+"a"), []string{"a=1"})
	})
	check("maintenance: alarms and defragmentation", func(t *test) {
		alarms, err := c.AlarmList(t.ctx)
		t.no(err)
		t.equal("alarms", len(alarms.Alarms), 0)
		_, err = c.Defragment(t.ctx, c.Endpoints()[0])
		t.no(err)
	})
}
