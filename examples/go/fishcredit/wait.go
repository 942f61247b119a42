package fishcredit

// Waiting for a descriptor of the library or a context.

import (
	"context"
	"os"
	"time"
)

// pollInterval is how often ready is called without a descriptor.
const pollInterval = 20 * time.Millisecond

// longAgo is a deadline that ends a wait for a file.
var longAgo = time.Unix(1, 0)

// waitFor returns when ready returns true or the context is done. It calls ready first, and whenever the file is
// readable; without a file, periodically.
func waitFor(ctx context.Context, file *os.File, ready func() bool) error {
	if file == nil || !waitForFile(ctx, file, ready) {
		return poll(ctx, ready)
	}
	return ctx.Err()
}

// waitForFile returns false if it cannot wait for the file; otherwise ready returned true or the context is done.
func waitForFile(ctx context.Context, file *os.File, ready func() bool) bool {
	raw, err := file.SyscallConn()
	if err != nil {
		return false
	}
	if ctx.Done() != nil {
		returned := make(chan struct{})
		defer close(returned)
		go func() {
			select {
			case <-ctx.Done():
				file.SetReadDeadline(longAgo)
			case <-returned:
			}
		}()
	}
	err = raw.Read(func(uintptr) bool { return ready() })
	return err == nil || ctx.Err() != nil
}

func poll(ctx context.Context, ready func() bool) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for !ready() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return ctx.Err()
}
