//go:build !unix

package fishcredit

import "os"

// openDescriptor is nil: Go's poller takes no sockets of others here.
func openDescriptor(int) *os.File { return nil }
