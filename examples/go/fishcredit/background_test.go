package fishcredit_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fish-api-credit/fish-api-credit/examples/go/fishcredit"
)

// answers gives one balance after another, and the last one again.
func answers(amounts ...string) http.HandlerFunc {
	var asked int32
	return func(w http.ResponseWriter, r *http.Request) {
		at := int(atomic.AddInt32(&asked, 1)) - 1
		if at >= len(amounts) {
			at = len(amounts) - 1
		}
		say(200, strings.Replace(wallet, "12.345678", amounts[at], 1), "X-Fish-Trace-Id", "t-1")(w, r)
	}
}

// next is the watch's next state; it fails the test if the watch has ended, or none comes.
func next(t *testing.T, watch *fishcredit.Watch) fishcredit.State {
	t.Helper()
	select {
	case state, ok := <-watch.States():
		if !ok {
			t.Fatal("the watch has ended")
		}
		return state
	case <-time.After(30 * time.Second):
		t.Fatal("no change came")
		panic("unreachable")
	}
}

// ends waits until the watch's channel is closed.
func ends(t *testing.T, watch *fishcredit.Watch) {
	t.Helper()
	for patience := time.After(30 * time.Second); ; {
		select {
		case _, ok := <-watch.States():
			if !ok {
				return
			}
		case <-patience:
			t.Fatal("the watch has not ended")
		}
	}
}

func watch(t *testing.T, client *fishcredit.Client, options fishcredit.WatchOptions) *fishcredit.Watch {
	t.Helper()
	watch, err := client.Watch(context.Background(), fishcredit.Query{}, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { watch.Close() })
	return watch
}

func TestACreditHasItsRequestsName(t *testing.T) {
	client := serve(t, fishcredit.Options{}, answers("1"))
	credit, err := client.APICredit(context.Background(), fishcredit.Query{})
	if err != nil || credit.RequestID != "t-1" {
		t.Fatalf("%+v, %v", credit, err)
	}
}

func TestACallThatWaitsTakesNoThreadOfGos(t *testing.T) {
	const calls = 200
	arrived := make(chan struct{}, calls)
	client := serve(t, fishcredit.Options{Timeout: time.Minute}, silent(arrived))
	before := pprof.Lookup("threadcreate").Count()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, calls)
	for i := 0; i < calls; i++ {
		go func() {
			_, err := client.APICredit(ctx, fishcredit.Query{})
			ended <- err
		}()
		// One after another: many goroutines that start calls at the same time are many in C, if only for microseconds.
		<-arrived
	}
	if made := pprof.Lookup("threadcreate").Count() - before; made > calls/8 {
		t.Errorf("%d threads for %d calls", made, calls)
	}
	start := time.Now()
	cancel()
	for i := 0; i < calls; i++ {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if took := time.Since(start); took > prompt {
		t.Errorf("took %v", took)
	}
}

func TestAWatchTellsEachChange(t *testing.T) {
	amounts := []string{"12", "4", "5.5", "6", "0", "-1"}
	levels := []fishcredit.Level{
		fishcredit.LevelOK, fishcredit.LevelLow, fishcredit.LevelLow, fishcredit.LevelOK, fishcredit.LevelEmpty, fishcredit.LevelEmpty,
	}
	client := serve(t, fishcredit.Options{}, answers(amounts...))
	watch := watch(t, client, fishcredit.WatchOptions{Interval: time.Hour, LowMicros: 5_000_000, RecoveredMicros: 6_000_000})
	for i, amount := range amounts {
		state := next(t, watch)
		if state.Credit == nil || state.Credit.Text != amount || state.Credit.RequestID != "t-1" || state.Level != levels[i] {
			t.Fatalf("%d: %+v, %+v", i, state, state.Credit)
		}
		if state.Status != fishcredit.OK || state.Err != nil || state.Failures != 0 || state.Next < time.Minute || state.Age > time.Minute {
			t.Errorf("%d: %+v", i, state)
		}
		watch.Refresh()
	}
}

func TestAFailureKeepsTheCreditAndSaysWhy(t *testing.T) {
	var asked int32
	client := serve(t, fishcredit.Options{}, func(w http.ResponseWriter, r *http.Request) {
		if atomic.AddInt32(&asked, 1) == 1 {
			say(200, wallet)(w, r)
		} else {
			say(401, `{"message":"gone"}`)(w, r)
		}
	})
	watch := watch(t, client, fishcredit.WatchOptions{Interval: time.Hour})
	next(t, watch)
	watch.Refresh()
	state := next(t, watch)
	if state.Credit == nil || state.Credit.Text != "12.345678" || state.Status != fishcredit.Unauthorized || state.Failures != 1 {
		t.Fatalf("%+v", state)
	}
	if failure(t, state.Err).APIMessage != "gone" {
		t.Error(state.Err)
	}
}

func TestBeforeTheFirstReadingNothingIsKnown(t *testing.T) {
	arrived := make(chan struct{}, 9)
	client := serve(t, fishcredit.Options{Timeout: time.Minute}, silent(arrived))
	watch := watch(t, client, fishcredit.WatchOptions{})
	state := watch.Read()
	if state.Credit != nil || state.Level != fishcredit.LevelUnknown || state.Status != fishcredit.Pending || state.Err != nil {
		t.Errorf("%+v", state)
	}
}

func TestAWatchEndsInEveryWay(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(*fishcredit.Client, *fishcredit.Watch, context.CancelFunc)
	}{
		{"Close", func(_ *fishcredit.Client, watch *fishcredit.Watch, _ context.CancelFunc) { watch.Close() }},
		{"its context", func(_ *fishcredit.Client, _ *fishcredit.Watch, cancel context.CancelFunc) { cancel() }},
		{"its client's Close", func(client *fishcredit.Client, _ *fishcredit.Watch, _ context.CancelFunc) { client.Close() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			arrived := make(chan struct{}, 9)
			client := serve(t, fishcredit.Options{Timeout: time.Minute}, silent(arrived))
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			watch, err := client.Watch(ctx, fishcredit.Query{}, fishcredit.WatchOptions{})
			if err != nil {
				t.Fatal(err)
			}
			<-arrived
			start := time.Now()
			test.end(client, watch, cancel)
			ends(t, watch)
			watch.Close()
			if took := time.Since(start); took > prompt {
				t.Errorf("took %v", took)
			}
			if state := watch.Read(); state.Status != fishcredit.Cancelled || state.Err != fishcredit.ErrClosed {
				t.Errorf("%+v", state)
			}
			watch.Refresh()
		})
	}
}

func TestASlowReaderGetsTheNewest(t *testing.T) {
	client := serve(t, fishcredit.Options{}, answers("1", "2", "3"))
	watch := watch(t, client, fishcredit.WatchOptions{Interval: time.Hour})
	for changes := uint64(1); changes <= 3; changes++ {
		for watch.Read().Changes < changes {
			time.Sleep(time.Millisecond)
		}
		if changes < 3 {
			watch.Refresh()
		}
	}
	// What Read saw is told as well.
	if state := next(t, watch); state.Credit.Text != "3" {
		t.Errorf("%+v", state.Credit)
	}
	select {
	case state := <-watch.States():
		t.Errorf("once more: %+v", state)
	default:
	}
}

func TestOptionsOfAWatchThatAreRefused(t *testing.T) {
	client := serve(t, fishcredit.Options{}, say(200, wallet))
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := client.Watch(over, fishcredit.Query{}, fishcredit.WatchOptions{}); err != context.Canceled {
		t.Error(err)
	}
	for _, test := range []struct {
		query   fishcredit.Query
		options fishcredit.WatchOptions
		want    string
	}{
		{fishcredit.Query{}, fishcredit.WatchOptions{Interval: time.Millisecond}, "WatchOptions.Interval"},
		{fishcredit.Query{}, fishcredit.WatchOptions{Interval: -time.Hour}, "WatchOptions.Interval"},
		{fishcredit.Query{}, fishcredit.WatchOptions{LowMicros: -1}, "WatchOptions.LowMicros"},
		{fishcredit.Query{}, fishcredit.WatchOptions{LowMicros: 5, RecoveredMicros: 4}, "WatchOptions.RecoveredMicros"},
		{fishcredit.Query{UserID: ".."}, fishcredit.WatchOptions{}, "Query.UserID"},
	} {
		_, err := client.Watch(context.Background(), test.query, test.options)
		if got := failure(t, err); got.Status != fishcredit.InvalidArgument || !strings.Contains(got.Message, test.want) {
			t.Error(err)
		}
	}
	client.Close()
	if _, err := client.Watch(context.Background(), fishcredit.Query{}, fishcredit.WatchOptions{}); err != fishcredit.ErrClosed {
		t.Error(err)
	}
}

// TestNothingIsLeft counts goroutines and descriptors after calls and watches of every ending.
func TestNothingIsLeft(t *testing.T) {
	arrived := make(chan struct{}, 1000)
	quiet := serve(t, fishcredit.Options{Timeout: time.Minute}, silent(arrived))
	client := serve(t, fishcredit.Options{}, answers("1"))
	round := func() {
		client.APICredit(context.Background(), fishcredit.Query{})
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		quiet.APICredit(ctx, fishcredit.Query{})
		ctx, cancel = context.WithCancel(context.Background())
		go func() {
			<-arrived
			cancel()
		}()
		quiet.APICredit(ctx, fishcredit.Query{})
		watch, err := client.Watch(context.Background(), fishcredit.Query{}, fishcredit.WatchOptions{})
		if err != nil {
			t.Fatal(err)
		}
		next(t, watch)
		watch.Close()
	}
	count := func() int {
		entries, _ := os.ReadDir("/proc/self/fd")
		return len(entries) + runtime.NumGoroutine()
	}
	round()
	before := count()
	for i := 0; i < 30; i++ {
		round()
	}
	// A connection on each side may be another's now, with the server's two goroutines for it.
	for patience := time.Now().Add(30 * time.Second); count() > before+10; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(patience) {
			t.Fatalf("%d, and before %d", count(), before)
		}
	}
}
