//go:build !unix

package fishcredit

import "os"

// openDescriptor returns nil: Go's poller does not take foreign sockets here.
func openDescriptor(int) *os.File { return nil }
