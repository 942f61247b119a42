package fishcredit

// Waiting for something of the library's, and for a context, whichever comes first.

import (
	"context"
	"os"
	"time"
)

// lookAgain is how often a thing without a descriptor is looked at.
const lookAgain = 20 * time.Millisecond

// longAgo ends a wait for a file.
var longAgo = time.Unix(1, 0)

// waitFor returns when ready says so, which is asked first and whenever the file is readable, or when the context is
// done. Without a file it is asked now and again.
func waitFor(ctx context.Context, file *os.File, ready func() bool) error {
	if file == nil || !poll(ctx, file, ready) {
		return lookFor(ctx, ready)
	}
	return ctx.Err()
}

// poll is false if the file cannot be waited for, or no longer; else ready was true or the context is done.
func poll(ctx context.Context, file *os.File, ready func() bool) bool {
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

func lookFor(ctx context.Context, ready func() bool) error {
	ticker := time.NewTicker(lookAgain)
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
