package main

// Keys: reads, history, deletion, compaction; and transactions.

import (
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

func checkKV(c *clientv3.Client) {
	check("kv: put and get", func(t *test) {
		first := t.put(c, t.prefix+"a", "1")
		answer, err := c.Put(t.ctx, t.prefix+"a", "2", clientv3.WithPrevKV())
		t.no(err)
		t.equal("revision", answer.Header.Revision, first+1)
		t.equal("previous value", string(answer.PrevKv.Value), "1")
		got, err := c.Get(t.ctx, t.prefix+"a")
		t.no(err)
		kv := got.Kvs[0]
		t.equal("value", string(kv.Value), "2")
		t.equal("revisions", []int64{kv.CreateRevision, kv.ModRevision, kv.Version}, []int64{first, first + 1, 2})
	})
	check("kv: bytes of any value", func(t *test) {
		raw := string([]byte{0, 255, 10, 128, 0})
		t.put(c, t.prefix+raw, raw)
		t.equal("pairs", t.values(c, t.prefix+raw), []string{raw + "=" + raw})
	})
	check("kv: prefix, order, limit, count, keys only", func(t *test) { checkRanges(t, c) })
	check("kv: history at a revision", func(t *test) {
		first := t.put(c, t.prefix+"a", "1")
		second := t.put(c, t.prefix+"a", "2")
		_, err := c.Delete(t.ctx, t.prefix+"a")
		t.no(err)
		t.equal("at the first", t.values(c, t.prefix+"a", clientv3.WithRev(first)), []string{"a=1"})
		t.equal("at the second", t.values(c, t.prefix+"a", clientv3.WithRev(second)), []string{"a=2"})
		t.equal("now", t.values(c, t.prefix+"a"), []string{})
	})
	check("kv: a large range in a stream", func(t *test) { checkGetStream(t, c) })
	check("kv: delete one and a prefix", func(t *test) {
		for _, key := range []string{"a", "b1", "b2"} {
			t.put(c, t.prefix+key, "x")
		}
		one, err := c.Delete(t.ctx, t.prefix+"a", clientv3.WithPrevKV())
		t.no(err)
		t.equal("deleted", one.Deleted, int64(1))
		t.equal("previous key", string(one.PrevKvs[0].Key), t.prefix+"a")
		two, err := c.Delete(t.ctx, t.prefix+"b", clientv3.WithPrefix())
		t.no(err)
		t.equal("deleted by prefix", two.Deleted, int64(2))
		t.equal("left", t.values(c, t.prefix, clientv3.WithPrefix()), []string{})
	})
	check("kv: keep the value, refuse a missing key", func(t *test) {
		_, err := c.Put(t.ctx, t.prefix+"a", "", clientv3.WithIgnoreValue())
		t.wants(rpctypes.ErrKeyNotFound, err)
		t.put(c, t.prefix+"a", "1")
		t.put(c, t.prefix+"a", "", clientv3.WithIgnoreValue())
		t.equal("value", t.values(c, t.prefix+"a"), []string{"a=1"})
	})
	check("kv: typed refusals", func(t *test) {
		_, err := c.Put(t.ctx, "", "x")
		t.wants(rpctypes.ErrEmptyKey, err)
		now := t.put(c, t.prefix+"a", "1")
		_, err = c.Get(t.ctx, t.prefix+"a", clientv3.WithRev(now+1000))
		t.wants(rpctypes.ErrFutureRev, err)
		_, err = c.Put(t.ctx, t.prefix+"a", strings.Repeat("x", 1_700_000))
		t.wants(rpctypes.ErrRequestTooLarge, err)
		_, err = c.Put(t.ctx, t.prefix+"a", "1", clientv3.WithLease(12345))
		t.wants(rpctypes.ErrLeaseNotFound, err)
	})
	check("kv: compaction", func(t *test) {
		first := t.put(c, t.prefix+"a", "1")
		second := t.put(c, t.prefix+"a", "2")
		_, err := c.Compact(t.ctx, second, clientv3.WithCompactPhysical())
		t.no(err)
		_, err = c.Get(t.ctx, t.prefix+"a", clientv3.WithRev(first))
		t.wants(rpctypes.ErrCompacted, err)
		_, err = c.Compact(t.ctx, first)
		t.wants(rpctypes.ErrCompacted, err)
		t.equal("kept", t.values(c, t.prefix+"a", clientv3.WithRev(second)), []string{"a=2"})
	})
}

func checkRanges(t *test, c *clientv3.Client) {
	for _, key := range []string{"c", "a", "b", "d"} {
		t.put(c, t.prefix+key, "x"+key)
	}
	prefix := clientv3.WithPrefix()
	t.equal("prefix", t.values(c, t.prefix, prefix), []string{"a=xa", "b=xb", "c=xc", "d=xd"})
	down := clientv3.WithSort(clientv3.SortByKey, clientv3.SortDescend)
	t.equal("downwards", t.values(c, t.prefix, prefix, down, clientv3.WithLimit(2)), []string{"d=xd", "c=xc"})
	t.equal("oldest", t.values(c, t.prefix, clientv3.WithFirstCreate()...), []string{"c=xc"})
	t.equal("newest", t.values(c, t.prefix, clientv3.WithLastRev()...), []string{"d=xd"})
	t.equal("keys only", t.values(c, t.prefix+"a", clientv3.WithKeysOnly()), []string{"a="})
	t.equal("serializable", t.values(c, t.prefix+"a", clientv3.WithSerializable()), []string{"a=xa"})
	t.equal("half-open range", t.values(c, t.prefix+"b", clientv3.WithRange(t.prefix+"d")), []string{"b=xb", "c=xc"})
	limited, err := c.Get(t.ctx, t.prefix, prefix, clientv3.WithLimit(3))
	t.no(err)
	t.equal("more", limited.More, true)
	counted, err := c.Get(t.ctx, t.prefix, prefix, clientv3.WithCountOnly())
	t.no(err)
	t.equal("count", counted.Count, int64(4))
	t.equal("pairs with a count", len(counted.Kvs), 0)
}

func checkGetStream(t *test, c *clientv3.Client) {
	value := strings.Repeat("v", 100_000)
	for i := range 40 {
		t.put(c, t.prefix+string(rune('A'+i)), value)
	}
	stream, err := c.GetStream(t.ctx, t.prefix, clientv3.WithPrefix())
	t.no(err)
	whole, err := clientv3.GetStreamToGetResponse(stream)
	t.no(err)
	t.equal("pairs", len(whole.Kvs), 40)
	t.equal("count", whole.Count, int64(40))
	t.equal("last value", len(whole.Kvs[39].Value), len(value))
}

func checkTxn(c *clientv3.Client) {
	check("txn: compare, then, else", func(t *test) {
		key := t.prefix + "a"
		absent := clientv3.Compare(clientv3.CreateRevision(key), "=", 0)
		create := c.Txn(t.ctx).If(absent).Then(clientv3.OpPut(key, "1")).Else(clientv3.OpGet(key))
		answer, err := create.Commit()
		t.no(err)
		t.equal("succeeded", answer.Succeeded, true)
		again := c.Txn(t.ctx).If(absent).Then(clientv3.OpPut(key, "2")).Else(clientv3.OpGet(key))
		answer, err = again.Commit()
		t.no(err)
		t.equal("succeeded again", answer.Succeeded, false)
		t.equal("read by else", string(answer.Responses[0].GetResponseRange().Kvs[0].Value), "1")
	})
	check("txn: every kind of compare", func(t *test) { checkCompares(t, c) })
	check("txn: nested, and one revision for all its writes", func(t *test) {
		inner := clientv3.OpTxn(nil, []clientv3.Op{clientv3.OpPut(t.prefix+"b", "2"), clientv3.OpGet(t.prefix + "a")}, nil)
		answer, err := c.Txn(t.ctx).Then(clientv3.OpPut(t.prefix+"a", "1"), inner).Commit()
		t.no(err)
		nested := answer.Responses[1].GetResponseTxn()
		t.equal("seen inside", string(nested.Responses[1].GetResponseRange().Kvs[0].Value), "1")
		got, err := c.Get(t.ctx, t.prefix, clientv3.WithPrefix())
		t.no(err)
		t.equal("revisions", got.Kvs[0].ModRevision, got.Kvs[1].ModRevision)
	})
	check("txn: typed refusals", func(t *test) {
		put := clientv3.OpPut(t.prefix+"a", "1")
		_, err := c.Txn(t.ctx).Then(put, put).Commit()
		t.wants(rpctypes.ErrDuplicateKey, err)
		_, err = c.Txn(t.ctx).Then(make129(t)...).Commit()
		t.wants(rpctypes.ErrTooManyOps, err)
	})
}

func make129(t *test) []clientv3.Op {
	ops := []clientv3.Op{}
	for range 129 {
		ops = append(ops, clientv3.OpGet(t.prefix))
	}
	return ops
}

func checkCompares(t *test, c *clientv3.Client) {
	key := t.prefix + "a"
	lease, err := c.Grant(t.ctx, 60)
	t.no(err)
	revision := t.put(c, key, "m", clientv3.WithLease(lease.ID))
	holding := []clientv3.Cmp{
		clientv3.Compare(clientv3.Value(key), "=", "m"), clientv3.Compare(clientv3.Value(key), ">", "a"),
		clientv3.Compare(clientv3.Value(key), "<", "z"), clientv3.Compare(clientv3.Value(key), "!=", "n"),
		clientv3.Compare(clientv3.Version(key), "=", 1), clientv3.Compare(clientv3.ModRevision(key), "=", revision),
		clientv3.Compare(clientv3.CreateRevision(key), "<", revision+1),
		clientv3.Compare(clientv3.LeaseValue(key), "=", lease.ID),
		clientv3.Compare(clientv3.Value(t.prefix).WithPrefix(), "=", "m"),
	}
	answer, err := c.Txn(t.ctx).If(holding...).Commit()
	t.no(err)
	t.equal("all together", answer.Succeeded, true)
	for i, cmp := range []clientv3.Cmp{
		clientv3.Compare(clientv3.Value(key), ">", "m"), clientv3.Compare(clientv3.Version(key), "!=", 1),
		clientv3.Compare(clientv3.ModRevision(key), "<", revision), clientv3.Compare(clientv3.LeaseValue(key), "=", 0),
	} {
		answer, err := c.Txn(t.ctx).If(cmp).Commit()
		t.no(err)
		t.equal("false compare "+string(rune('0'+i)), answer.Succeeded, false)
	}
	_, err = c.Revoke(t.ctx, lease.ID)
	t.no(err)
}
