package main

// Software transactional memory of the concurrency package: optimistic transactions that are repeated on conflict.

import (
	"errors"
	"fmt"
	"strconv"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

func checkSTM(c *clientv3.Client) {
	levels := map[string]concurrency.Isolation{
		"serializable snapshot": concurrency.SerializableSnapshot,
		"serializable":          concurrency.Serializable,
		"repeatable reads":      concurrency.RepeatableReads,
	}
	for name, level := range levels {
		check("stm: concurrent transfers keep the sum, "+name, func(t *test) { checkTransfers(t, c, level) })
	}
	check("stm: put, delete and revisions, read committed", func(t *test) {
		t.put(c, t.prefix+"a", "1")
		answer, err := concurrency.NewSTM(c, func(stm concurrency.STM) error {
			stm.Put(t.prefix+"b", stm.Get(t.prefix+"a")+"+")
			stm.Del(t.prefix + "a")
			return nil
		}, concurrency.WithIsolation(concurrency.ReadCommitted), concurrency.WithAbortContext(t.ctx))
		t.no(err)
		t.equal("succeeded", answer.Succeeded, true)
		t.equal("pairs", t.values(c, t.prefix, clientv3.WithPrefix()), []string{"b=1+"})
	})
	check("stm: an error of the caller aborts", func(t *test) {
		refused := errors.New("refused")
		_, err := concurrency.NewSTM(c, func(stm concurrency.STM) error {
			stm.Put(t.prefix+"a", "1")
			return refused
		}, concurrency.WithAbortContext(t.ctx))
		t.wants(refused, err)
		t.equal("pairs", t.values(c, t.prefix+"a"), []string{})
	})
}

// checkTransfers moves 1 between accounts from several workers at once; lost updates would change the sum.
func checkTransfers(t *test, c *clientv3.Client, level concurrency.Isolation) {
	const accounts, start, workers, rounds = 3, 100, 4, 10
	account := func(i int) string { return fmt.Sprintf("%saccount%d", t.prefix, i%accounts) }
	for i := range accounts {
		t.put(c, account(i), strconv.Itoa(start))
	}
	running := []<-chan error{}
	for worker := range workers {
		running = append(running, t.start(func() error {
			for round := range rounds {
				from, to := account(worker+round), account(worker+round+1)
				move := func(stm concurrency.STM) error { return transfer(stm, from, to) }
				_, err := concurrency.NewSTM(c, move, concurrency.WithIsolation(level), concurrency.WithAbortContext(t.ctx))
				if err != nil {
					return err
				}
			}
			return nil
		}))
	}
	for _, worker := range running {
		t.done("worker", worker)
	}
	sum := 0
	got, err := c.Get(t.ctx, t.prefix+"account", clientv3.WithPrefix())
	t.no(err)
	moves := int64(0)
	for _, kv := range got.Kvs {
		amount, err := strconv.Atoi(string(kv.Value))
		t.no(err)
		sum += amount
		moves += kv.Version - 1
	}
	t.equal("sum", sum, accounts*start)
	t.equal("writes", moves, int64(2*workers*rounds))
}

func transfer(stm concurrency.STM, from, to string) error {
	source, err := strconv.Atoi(stm.Get(from))
	if err != nil {
		return err
	}
	target, err := strconv.Atoi(stm.Get(to))
	if err != nil {
		return err
	}
	stm.Put(from, strconv.Itoa(source-1))
	stm.Put(to, strconv.Itoa(target+1))
	return nil
}
