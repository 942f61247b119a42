package fishcredit

// A watch: reads the credit periodically and keeps the last good reading.

// #include <fish_api_credit.h>
import "C"

import (
	"context"
	"math"
	"os"
	"sync"
	"time"
)

// WatchOptions are a watch's options. The zero value is all defaults.
type WatchOptions struct {
	Interval        time.Duration // between two readings, at least a second; 0: a minute
	LowMicros       int64         // a credit below this is LevelLow; 0: no such level
	RecoveredMicros int64         // after LevelLow or LevelEmpty, it is LevelOK only at or above this; 0: LowMicros
}

// State is the state of a watch.
type State struct {
	Credit   *Credit       // the last credit that was read; nil: none yet. A failure never replaces it
	Level    Level         // of that credit
	Status   Status        // how the latest reading ended. Pending: none has ended yet. Cancelled: the watch has ended
	Err      error         // why the latest reading failed, an *Error; nil if it did not
	Failures int           // how many readings in a row failed
	Next     time.Duration // until the next reading starts; negative: never
	Age      time.Duration // since Credit was read, including time asleep
	Changes  uint64        // increases by one whenever Credit, Level or Status changes
}

// Watch reads the credit in the background. It ends with its Close, its context, or its client's Close.
type Watch struct {
	client *Client // kept alive, because freeing it would end the watch
	states chan State
	ended  context.CancelFunc
	done   chan struct{} // closed when the watch is freed

	mu     sync.Mutex // guards handle, seen, and sending to states
	handle *C.fish_watch
	seen   uint64
}

// Watch starts a watch. It never waits.
func (client *Client) Watch(ctx context.Context, query Query, options WatchOptions) (*Watch, error) {
	switch {
	case options.Interval != 0 && options.Interval < time.Second:
		return nil, invalid("WatchOptions.Interval is below a second; set it to a second or more, or to 0 for a minute.")
	case options.LowMicros < 0:
		return nil, invalid("WatchOptions.LowMicros is negative; set it above 0, or to 0 for no low level.")
	case options.RecoveredMicros != 0 && options.RecoveredMicros < options.LowMicros:
		return nil, invalid("WatchOptions.RecoveredMicros is below LowMicros; set it to LowMicros or more, or to 0 for LowMicros.")
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

// States receives the watch's state at each change, and is closed when the watch ends. A slow receiver gets only the
// latest state.
func (watch *Watch) States() <-chan State { return watch.states }

// Read returns the watch's state. It never waits for the network. After the watch has ended, Status is Cancelled and
// Err is ErrClosed.
func (watch *Watch) Read() State {
	watch.mu.Lock()
	defer watch.mu.Unlock()
	if watch.handle == nil {
		return State{Status: Cancelled, Err: ErrClosed, Next: -1}
	}
	state := readState(watch.handle)
	// This read cleared the descriptor, so the change must be sent to States here.
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

// Refresh starts a reading now, for example after a purchase. It never waits; several at once cause one reading.
func (watch *Watch) Refresh() {
	watch.mu.Lock()
	defer watch.mu.Unlock()
	C.fish_watch_refresh(watch.handle)
}

// Close ends and frees the watch. It does not wait for the network. Closing twice is harmless.
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

// readState copies the library's state and frees it.
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
