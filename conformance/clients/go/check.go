package main

// One check at a time: its deadline, its own keys, and how it says what went wrong.

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

const (
	checkDeadline = 20 * time.Second
	// quietTime is how long a check waits to see that something does not happen.
	quietTime = 150 * time.Millisecond
)

var (
	failures    int
	checkNumber int
)

// test is one running check. Its methods end the check with a reason when what they demand does not hold.
type test struct {
	ctx context.Context
	// prefix is for keys that only this check uses.
	prefix string
	// cleanups run at the end, the last first.
	cleanups []func()
}

// refusal is what a failed demand panics with.
type refusal struct{ why string }

// check runs the body with a deadline and prints what became of it. A body that ignores the deadline is left behind.
func check(words string, body func(t *test)) {
	checkNumber++
	ctx, cancel := context.WithTimeout(context.Background(), checkDeadline)
	defer cancel()
	t := &test{ctx: ctx, prefix: fmt.Sprintf("go/%d/", checkNumber)}
	outcome := make(chan string, 1)
	go func() { outcome <- t.run(body) }()
	why := ""
	select {
	case why = <-outcome:
	case <-time.After(checkDeadline + 2*time.Second):
		why = "hangs"
	}
	if why == "" {
		fmt.Printf("ok %s\n", words)
		return
	}
	failures++
	fmt.Printf("FAILED %s: %s\n", words, strings.ReplaceAll(why, "\n", " "))
}

func (t *test) run(body func(t *test)) (why string) {
	defer func() {
		if thrown := recover(); thrown != nil {
			why = reasonOf(thrown)
		}
		for i := len(t.cleanups) - 1; i >= 0; i-- {
			t.cleanups[i]()
		}
	}()
	body(t)
	return ""
}

func reasonOf(thrown any) string {
	if r, ok := thrown.(refusal); ok {
		return r.why
	}
	return fmt.Sprintf("panic: %v", thrown)
}

func (t *test) cleanup(undo func()) { t.cleanups = append(t.cleanups, undo) }

func (t *test) fail(format string, args ...any) { panic(refusal{fmt.Sprintf(format, args...)}) }

func (t *test) no(err error) {
	if err != nil {
		t.fail("unexpected error: %v", err)
	}
}

// wants demands an error that `errors.Is` the given one: what a program that uses the client would compare with.
func (t *test) wants(want, got error) {
	if !errors.Is(got, want) {
		t.fail("want the error %q, got %v", want, got)
	}
}

func (t *test) equal(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		t.fail("%s: got %v, want %v", what, got, want)
	}
}

func (t *test) that(what string, holds bool) {
	if !holds {
		t.fail("not so: %s", what)
	}
}

// start runs the work beside the check; the answer is for `done` and `pending`.
func (t *test) start(work func() error) <-chan error {
	result := make(chan error, 1)
	go func() { result <- work() }()
	return result
}

// done waits until started work has ended, and demands that it ended well.
func (t *test) done(what string, result <-chan error) {
	select {
	case err := <-result:
		if err != nil {
			t.fail("%s: %v", what, err)
		}
	case <-t.ctx.Done():
		t.fail("%s: does not end", what)
	}
}

// pending demands that started work has not ended after a while.
func (t *test) pending(what string, result <-chan error) {
	select {
	case err := <-result:
		t.fail("%s: ended too early (%v)", what, err)
	case <-time.After(quietTime):
	}
}

// receive takes the next value of a channel.
func receive[T any](t *test, what string, from <-chan T) T {
	select {
	case value, open := <-from:
		if !open {
			t.fail("%s: the channel has been closed", what)
		}
		return value
	case <-t.ctx.Done():
		t.fail("%s: nothing came", what)
		panic("unreachable")
	}
}

func (t *test) put(client clientv3.KV, key, value string, opts ...clientv3.OpOption) int64 {
	answer, err := client.Put(t.ctx, key, value, opts...)
	t.no(err)
	return answer.Header.Revision
}

// values gets a key, or a range with an option, as "key=value" texts without the check's prefix.
func (t *test) values(client clientv3.KV, key string, opts ...clientv3.OpOption) []string {
	answer, err := client.Get(t.ctx, key, opts...)
	t.no(err)
	return t.texts(answer)
}

func (t *test) texts(answer *clientv3.GetResponse) []string {
	texts := []string{}
	for _, kv := range answer.Kvs {
		texts = append(texts, strings.TrimPrefix(string(kv.Key), t.prefix)+"="+string(kv.Value))
	}
	return texts
}

// session is closed at the end of the check.
func (t *test) session(client *clientv3.Client, ttlSeconds int) *concurrency.Session {
	session, err := concurrency.NewSession(client, concurrency.WithTTL(ttlSeconds))
	t.no(err)
	t.cleanup(func() { _ = session.Close() })
	return session
}
