package main

// Watches: what they deliver, from where, and that they resume after their connection has been cut.

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

func checkWatch(c *clientv3.Client) {
	check("watch: prefix, with previous values", func(t *test) {
		watch := t.watch(c, clientv3.WithPrefix(), clientv3.WithPrevKV())
		t.put(c, t.prefix+"a", "1")
		t.put(c, t.prefix+"a", "2")
		_, err := c.Delete(t.ctx, t.prefix+"a")
		t.no(err)
		t.equal("events", t.events(watch, 3), []string{"PUT a=1", "PUT a=2 was 1", "DELETE a= was 2"})
	})
	check("watch: from a past revision, with a filter", func(t *test) {
		first := t.put(c, t.prefix+"a", "1")
		_, err := c.Delete(t.ctx, t.prefix+"a")
		t.no(err)
		t.put(c, t.prefix+"a", "2")
		watch := t.watch(c, clientv3.WithPrefix(), clientv3.WithRev(first), clientv3.WithFilterDelete())
		t.equal("events", t.events(watch, 2), []string{"PUT a=1", "PUT a=2"})
	})
	check("watch: all events of a transaction in one answer", func(t *test) {
		watch := t.watch(c, clientv3.WithPrefix())
		_, err := c.Txn(t.ctx).Then(clientv3.OpPut(t.prefix+"a", "1"), clientv3.OpPut(t.prefix+"b", "2")).Commit()
		t.no(err)
		t.equal("events", len(receive(t, "answer", watch).Events), 2)
	})
	check("watch: large events in fragments", func(t *test) {
		watch := t.watch(c, clientv3.WithPrefix(), clientv3.WithFragment())
		value := strings.Repeat("v", 700_000)
		for _, key := range []string{"a", "b", "c", "d"} {
			t.put(c, t.prefix+key, value)
		}
		t.equal("events", len(t.events(watch, 4)), 4)
	})
	check("watch: created and progress notifications", func(t *test) {
		ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(t.ctx))
		defer cancel()
		watch := c.Watch(ctx, t.prefix, clientv3.WithPrefix(), clientv3.WithCreatedNotify())
		t.equal("created", receive(t, "created", watch).Created, true)
		now := t.put(c, "elsewhere", "1")
		t.no(c.RequestProgress(ctx))
		progress := receive(t, "progress", watch)
		t.equal("progress", progress.IsProgressNotify(), true)
		t.equal("revision", progress.Header.Revision >= now, true)
	})
	check("watch: a compacted start is refused with the compact revision", func(t *test) {
		first := t.put(c, t.prefix+"a", "1")
		last := t.put(c, t.prefix+"a", "2")
		_, err := c.Compact(t.ctx, last)
		t.no(err)
		answer := receive(t, "answer", t.watch(c, clientv3.WithPrefix(), clientv3.WithRev(first)))
		t.wants(rpctypes.ErrCompacted, answer.Err())
		t.equal("compact revision", answer.CompactRevision, last)
	})
	check("watch: cancelled by the client, others go on", func(t *test) {
		ctx, cancel := context.WithCancel(t.ctx)
		ended := c.Watch(ctx, t.prefix+"a")
		kept := t.watch(c, clientv3.WithPrefix())
		cancel()
		for range ended {
			// Until it is closed.
		}
		t.put(c, t.prefix+"a", "1")
		t.equal("events", t.events(kept, 1), []string{"PUT a=1"})
	})
	check("watch: resumes after a cut, every event exactly once", func(t *test) { checkResume(t, c) })
}

// checkResume writes on a connection of its own, so that only the watch loses its connection.
func checkResume(t *test, writer *clientv3.Client) {
	watcher, err := dial(os.Getenv("HOLDFAST_PROXY_ENDPOINT"))
	t.no(err)
	defer watcher.Close()
	watch := t.watch(watcher, clientv3.WithPrefix())
	want := []string{}
	for round := range 3 {
		for i := range 20 {
			t.put(writer, fmt.Sprintf("%s%d-%d", t.prefix, round, i), "v")
			want = append(want, fmt.Sprintf("PUT %d-%d=v", round, i))
		}
		if round == 0 {
			t.equal("before the cut", t.events(watch, 20), want)
			want = want[20:]
		}
		connections := t.cutProxy()
		// Later the client may be about to connect again.
		t.that("a connection was cut", round > 0 || connections > 0)
	}
	t.put(writer, t.prefix+"end", "v")
	t.equal("after the cuts", t.events(watch, len(want)+1), append(want, "PUT end=v"))
	select {
	case answer := <-watch:
		t.equal("events after the end", len(answer.Events), 0)
	case <-time.After(quietTime):
	}
}

// cutProxy returns how many connections were cut.
func (t *test) cutProxy() int {
	answer, err := http.Post(os.Getenv("HOLDFAST_CONTROL_URL")+"/cut", "", nil)
	t.no(err)
	t.equal("status of the cut", answer.StatusCode, http.StatusOK)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	t.no(err)
	connections, err := strconv.Atoi(string(body))
	t.no(err)
	return connections
}

// watch watches the check's prefix; it has been created when this returns.
func (t *test) watch(c *clientv3.Client, opts ...clientv3.OpOption) clientv3.WatchChan {
	watch := c.Watch(t.ctx, t.prefix, append(opts, clientv3.WithCreatedNotify())...)
	created := receive(t, "created", watch)
	if created.Canceled {
		t.no(created.Err())
	}
	return watch
}

// events reads until there are so many events, as texts without the check's prefix.
func (t *test) events(watch clientv3.WatchChan, count int) []string {
	texts := []string{}
	for len(texts) < count {
		answer := receive(t, fmt.Sprintf("event %d of %d", len(texts)+1, count), watch)
		t.no(answer.Err())
		for _, event := range answer.Events {
			text := fmt.Sprintf("%s %s=%s", event.Type, strings.TrimPrefix(string(event.Kv.Key), t.prefix), event.Kv.Value)
			if event.PrevKv != nil {
				text += " was " + string(event.PrevKv.Value)
			}
			texts = append(texts, text)
		}
	}
	return texts
}
