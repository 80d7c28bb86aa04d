package main

// Locks: the concurrency package's Mutex, the server's Lock service, and both in one queue.

import (
	"context"
	"strconv"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3lock/v3lockpb"
)

func checkMutex(c *clientv3.Client) {
	check("mutex: two sessions contend, unlock hands over", func(t *test) {
		name := t.prefix + "m"
		one, two := concurrency.NewMutex(t.session(c, 60), name), concurrency.NewMutex(t.session(c, 60), name)
		t.no(one.Lock(t.ctx))
		waiting := t.start(func() error { return two.Lock(t.ctx) })
		t.pending("the second lock", waiting)
		t.no(one.Unlock(t.ctx))
		t.done("the second lock", waiting)
		t.no(two.Unlock(t.ctx))
		t.equal("keys left", t.values(c, name, clientv3.WithPrefix()), []string{})
	})
	check("mutex: TryLock says that it is locked and leaves no key", func(t *test) {
		name := t.prefix + "m"
		one, two := concurrency.NewMutex(t.session(c, 60), name), concurrency.NewMutex(t.session(c, 60), name)
		t.no(one.TryLock(t.ctx))
		t.wants(concurrency.ErrLocked, two.TryLock(t.ctx))
		t.equal("keys", len(t.values(c, name, clientv3.WithPrefix())), 1)
		t.no(one.Unlock(t.ctx))
		t.no(two.TryLock(t.ctx))
		t.wants(concurrency.ErrLockReleased, one.Unlock(t.ctx))
	})
	check("mutex: a cancelled wait leaves no key", func(t *test) {
		name := t.prefix + "m"
		one, two := concurrency.NewMutex(t.session(c, 60), name), concurrency.NewMutex(t.session(c, 60), name)
		t.no(one.Lock(t.ctx))
		ctx, cancel := context.WithCancel(t.ctx)
		waiting := t.start(func() error { return two.Lock(ctx) })
		t.pending("the second lock", waiting)
		cancel()
		t.wants(context.Canceled, receive(t, "the cancelled lock", waiting))
		t.equal("keys", len(t.values(c, name, clientv3.WithPrefix())), 1)
	})
	check("mutex: a holder whose session expires loses it", func(t *test) {
		name := t.prefix + "m"
		dying := t.session(c, shortTTLSeconds)
		one, two := concurrency.NewMutex(dying, name), concurrency.NewMutex(t.session(c, 60), name)
		t.no(one.Lock(t.ctx))
		waiting := t.start(func() error { return two.Lock(t.ctx) })
		t.pending("the second lock", waiting)
		dying.Orphan()
		t.done("the second lock", waiting)
		answer, err := c.Txn(t.ctx).If(one.IsOwner()).Then(clientv3.OpPut(t.prefix+"guarded", "late")).Commit()
		t.no(err)
		t.equal("the old holder is let in", answer.Succeeded, false)
		answer, err = c.Txn(t.ctx).If(two.IsOwner()).Then(clientv3.OpPut(t.prefix+"guarded", "new")).Commit()
		t.no(err)
		t.equal("the new holder is let in", answer.Succeeded, true)
	})
	check("mutex: excludes five sessions from one another", func(t *test) { checkExclusion(t, c) })
}

// checkExclusion counts with a read and a later write, which loses counts unless the lock keeps the others out.
func checkExclusion(t *test, c *clientv3.Client) {
	const sessions, rounds = 5, 10
	key := t.prefix + "count"
	t.put(c, key, "0")
	workers := []<-chan error{}
	for range sessions {
		locker := concurrency.NewMutex(t.session(c, 60), t.prefix+"m")
		workers = append(workers, t.start(func() error {
			for range rounds {
				if err := increment(t.ctx, c, locker, key); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	for _, worker := range workers {
		t.done("worker", worker)
	}
	t.equal("count", t.values(c, key), []string{"count=" + strconv.Itoa(sessions*rounds)})
}

func increment(ctx context.Context, c *clientv3.Client, mutex *concurrency.Mutex, key string) error {
	if err := mutex.Lock(ctx); err != nil {
		return err
	}
	got, err := c.Get(ctx, key)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(string(got.Kvs[0].Value))
	if err != nil {
		return err
	}
	if _, err = c.Put(ctx, key, strconv.Itoa(number+1)); err != nil {
		return err
	}
	return mutex.Unlock(ctx)
}

func checkLockService(c *clientv3.Client) {
	service := v3lockpb.NewLockClient(c.ActiveConnection())
	check("lock service: queues behind a Mutex of the same name", func(t *test) {
		name := t.prefix + "m"
		mutex := concurrency.NewMutex(t.session(c, 60), name)
		t.no(mutex.Lock(t.ctx))
		lease := t.session(c, 60).Lease()
		key := make(chan []byte, 1)
		waiting := t.start(func() error {
			answer, err := service.Lock(t.ctx, &v3lockpb.LockRequest{Name: []byte(name), Lease: int64(lease)})
			key <- answer.GetKey()
			return err
		})
		t.pending("the service's lock", waiting)
		t.no(mutex.Unlock(t.ctx))
		t.done("the service's lock", waiting)
		held := <-key
		t.equal("key", string(held), name+"/"+strconv.FormatInt(int64(lease), 16))
		waitingMutex := t.start(func() error { return mutex.Lock(t.ctx) })
		t.pending("the mutex", waitingMutex)
		_, err := service.Unlock(t.ctx, &v3lockpb.UnlockRequest{Key: held})
		t.no(err)
		t.done("the mutex", waitingMutex)
	})
	check("lock service: a lease of its own when none is given", func(t *test) {
		answer, err := service.Lock(t.ctx, &v3lockpb.LockRequest{Name: []byte(t.prefix + "m")})
		t.no(err)
		t.equal("keys", len(t.values(c, string(answer.Key))), 1)
		_, err = service.Unlock(t.ctx, &v3lockpb.UnlockRequest{Key: answer.Key})
		t.no(err)
		t.equal("keys after unlock", len(t.values(c, string(answer.Key))), 0)
	})
}
