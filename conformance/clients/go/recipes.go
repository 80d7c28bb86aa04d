package main

// The experimental recipes package: barriers, queues and the read-write mutex, all built on keys, watches and leases.

import (
	"sync/atomic"

	clientv3 "go.etcd.io/etcd/client/v3"
	recipe "go.etcd.io/etcd/client/v3/experimental/recipes"
)

func checkBarriers(c *clientv3.Client) {
	check("recipes: barrier holds the waiters until its release", func(t *test) {
		barrier := recipe.NewBarrier(c, t.prefix+"b")
		t.no(barrier.Hold())
		one := t.start(recipe.NewBarrier(c, t.prefix+"b").Wait)
		two := t.start(recipe.NewBarrier(c, t.prefix+"b").Wait)
		t.pending("the first waiter", one)
		t.pending("the second waiter", two)
		t.no(barrier.Release())
		t.done("the first waiter", one)
		t.done("the second waiter", two)
	})
	check("recipes: double barrier lets three in and out together", func(t *test) {
		enter, leave := []<-chan error{}, []<-chan error{}
		barriers := []*recipe.DoubleBarrier{}
		for range 3 {
			barriers = append(barriers, recipe.NewDoubleBarrier(t.session(c, 60), t.prefix+"b", 3))
		}
		for _, barrier := range barriers[:2] {
			enter = append(enter, t.start(barrier.Enter))
		}
		t.pending("two of three", enter[0])
		enter = append(enter, t.start(barriers[2].Enter))
		for _, entered := range enter {
			t.done("enter", entered)
		}
		extra := recipe.NewDoubleBarrier(t.session(c, 60), t.prefix+"b", 3)
		t.wants(recipe.ErrTooManyClients, extra.Enter())
		for _, barrier := range barriers[:2] {
			leave = append(leave, t.start(barrier.Leave))
		}
		t.pending("leave of two", leave[0])
		leave = append(leave, t.start(barriers[2].Leave))
		for _, left := range leave {
			t.done("leave", left)
		}
		t.equal("keys left", t.values(c, t.prefix, clientv3.WithPrefix()), []string{})
	})
}

func checkQueues(c *clientv3.Client) {
	check("recipes: queue in order, and a taker waits for more", func(t *test) {
		queue := recipe.NewQueue(c, t.prefix+"q")
		for _, item := range []string{"1", "2", "3"} {
			t.no(queue.Enqueue(item))
		}
		for _, want := range []string{"1", "2", "3"} {
			item, err := queue.Dequeue()
			t.no(err)
			t.equal("item", item, want)
		}
		taken := make(chan string, 1)
		waiting := t.start(func() error {
			item, err := recipe.NewQueue(c, t.prefix+"q").Dequeue()
			taken <- item
			return err
		})
		t.pending("the taker", waiting)
		t.no(queue.Enqueue("4"))
		t.done("the taker", waiting)
		t.equal("item", <-taken, "4")
	})
	check("recipes: queue gives each item to one of several takers", func(t *test) {
		const takers, each = 4, 5
		var sum atomic.Int64
		running := []<-chan error{}
		for range takers {
			running = append(running, t.start(func() error {
				for range each {
					item, err := recipe.NewQueue(c, t.prefix+"q").Dequeue()
					if err != nil {
						return err
					}
					sum.Add(int64(item[0]))
				}
				return nil
			}))
		}
		want := int64(0)
		for i := range takers * each {
			t.no(recipe.NewQueue(c, t.prefix+"q").Enqueue(string(rune('A' + i))))
			want += int64('A' + i)
		}
		for _, taker := range running {
			t.done("taker", taker)
		}
		t.equal("sum of the items", sum.Load(), want)
	})
	check("recipes: priority queue", func(t *test) {
		queue := recipe.NewPriorityQueue(c, t.prefix+"q")
		for _, item := range []struct {
			name     string
			priority uint16
		}{{"late", 9}, {"first", 1}, {"second", 1}, {"middle", 5}} {
			t.no(queue.Enqueue(item.name, item.priority))
		}
		for _, want := range []string{"first", "second", "middle", "late"} {
			item, err := queue.Dequeue()
			t.no(err)
			t.equal("item", item, want)
		}
	})
}

func checkRWMutex(c *clientv3.Client) {
	check("recipes: read-write mutex", func(t *test) {
		newMutex := func() *recipe.RWMutex { return recipe.NewRWMutex(t.session(c, 60), t.prefix+"rw") }
		readerOne, readerTwo, writer, late := newMutex(), newMutex(), newMutex(), newMutex()
		t.no(readerOne.RLock())
		t.no(readerTwo.RLock())
		writing := t.start(writer.Lock)
		t.pending("the writer behind two readers", writing)
		t.no(readerOne.RUnlock())
		t.pending("the writer behind one reader", writing)
		reading := t.start(late.RLock)
		t.pending("the reader behind the writer", reading)
		t.no(readerTwo.RUnlock())
		t.done("the writer", writing)
		t.pending("the reader while it writes", reading)
		t.no(writer.Unlock())
		t.done("the late reader", reading)
		t.no(late.RUnlock())
	})
}
