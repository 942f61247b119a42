package fishcredit

// A watch: reads the credit again and again, and always has the last good answer at hand.

// #include <fish_api_credit.h>
import "C"

import (
	"context"
	"math"
	"os"
	"sync"
	"time"
)

// WatchOptions are a watch's settings. The zero value is all defaults.
type WatchOptions struct {
	Interval        time.Duration // between two readings, at least a second; 0: a minute
	LowMicros       int64         // a credit below this is LevelLow; 0: there is no such level
	RecoveredMicros int64         // from LevelLow or LevelEmpty it is LevelOK again only at or above this; 0: LowMicros
}

// State is what a watch knows.
type State struct {
	Credit   *Credit       // the last that was read; nil: nothing has been yet. A failure never replaces it
	Level    Level         // of that credit
	Status   Status        // how the newest reading ended. Pending: none has. Cancelled: the watch has ended
	Err      error         // why the newest reading failed, an *Error; nil if it did not
	Failures int           // how many readings in a row failed
	Next     time.Duration // until the next reading begins; negative: never
	Age      time.Duration // since Credit was read, time asleep included
	Changes  uint64        // grows by one whenever Credit, Level or Status changes
}

// Watch reads the credit in the background. It ends with its Close, its context, or its client's Close.
type Watch struct {
	client *Client // which, forgotten, would be freed, and the watch ended
	states chan State
	ended  context.CancelFunc
	done   chan struct{} // closed when nothing of the watch is left

	mu     sync.Mutex // guards what follows, and sending to states
	handle *C.fish_watch
	seen   uint64
}

// Watch starts reading the credit again and again. It sends nothing itself, and never waits.
func (client *Client) Watch(ctx context.Context, query Query, options WatchOptions) (*Watch, error) {
	switch {
	case options.Interval != 0 && options.Interval < time.Second:
		return nil, invalid("WatchOptions.Interval is below a second; make it longer, or 0 for a minute.")
	case options.LowMicros < 0:
		return nil, invalid("WatchOptions.LowMicros is negative; make it 0 for no such level.")
	case options.RecoveredMicros != 0 && options.RecoveredMicros < options.LowMicros:
		return nil, invalid("WatchOptions.RecoveredMicros is below LowMicros; make it 0 for LowMicros.")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c := C.fish_watch_options{
		interval_ms:      milliseconds(options.Interval),
		low_micros:       C.int64_t(options.LowMicros),
		recovered_micros: C.int64_t(options.RecoveredMicros),
	}
	watch := &Watch{client: client, states: make(chan State, 1), done: make(chan struct{})}
	err := client.start(query, 0, func(handle *C.fish_client, query *C.fish_api_credit_query, failure *C.fish_error) C.fish_status {
		return C.fish_watch_start(handle, query, &c, &watch.handle, failure)
	})
	if err != nil {
		return nil, err
	}
	ctx, watch.ended = context.WithCancel(ctx)
	go watch.run(ctx, openDescriptor(int(C.fish_watch_descriptor(watch.handle))))
	return watch, nil
}

// States gets the watch's state at each change, and is closed when the watch ends. Who is slow misses what lies
// between, and gets the newest.
func (watch *Watch) States() <-chan State { return watch.states }

// Read is what the watch knows now. It never waits for the network. After the watch has ended, its Status is Cancelled
// and its Err is ErrClosed.
func (watch *Watch) Read() State {
	watch.mu.Lock()
	defer watch.mu.Unlock()
	if watch.handle == nil {
		return State{Status: Cancelled, Err: ErrClosed, Next: -1}
	}
	state := readState(watch.handle)
	// The descriptor is silent now, whoever reads: so whoever reads tells.
	if state.Changes != watch.seen && state.Status != Cancelled {
		watch.seen = state.Changes
		select {
		case <-watch.states:
		default:
		}
		watch.states <- state
	}
	return state
}

// Refresh reads now, after a purchase or a spend. It never waits; several at once are one.
func (watch *Watch) Refresh() {
	watch.mu.Lock()
	defer watch.mu.Unlock()
	C.fish_watch_refresh(watch.handle)
}

// Close ends the watch. When it returns, nothing of it is left; it does not wait for the network. Closing twice is
// harmless.
func (watch *Watch) Close() error {
	watch.ended()
	<-watch.done
	return nil
}

func (watch *Watch) run(ctx context.Context, file *os.File) {
	defer close(watch.done)
	defer watch.ended()
	waitFor(ctx, file, func() bool { return watch.Read().Status == Cancelled })
	if file != nil {
		file.Close()
	}
	watch.mu.Lock()
	defer watch.mu.Unlock()
	C.fish_watch_free(watch.handle)
	watch.handle = nil
	close(watch.states)
}

// readState copies what the library filled in, and frees it.
func readState(watch *C.fish_watch) State {
	var c C.fish_watch_state
	var failure C.fish_error
	C.fish_watch_read(watch, &c, &failure)
	defer C.fish_watch_state_free(&c)
	state := State{
		Level:    Level(c.level),
		Status:   Status(c.status),
		Failures: int(c.failures),
		Next:     time.Duration(c.next_ms) * time.Millisecond,
		Age:      time.Duration(c.age_ms) * time.Millisecond,
		Changes:  uint64(c.changes),
	}
	if c.next_ms == math.MaxUint32 {
		state.Next = -1
	}
	if c.credit.id != nil {
		credit := copyCredit(&c.credit)
		state.Credit = &credit
	}
	if state.Status != OK && state.Status != Pending {
		state.Err = takeError(&failure, nil)
	} else {
		C.fish_error_free(&failure)
	}
	return state
}
