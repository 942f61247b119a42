//go:build unix

package fishcredit

// The library's descriptors in Go's poller, so that a waiting goroutine takes no thread.

import (
	"os"
	"syscall"
)

// openDescriptor returns a file for a copy of the library's descriptor; a copy, because the file closes it. It returns
// nil if there is no descriptor or it cannot be copied.
func openDescriptor(descriptor int) *os.File {
	if descriptor < 0 {
		return nil
	}
	syscall.ForkLock.RLock()
	copied, err := syscall.Dup(descriptor)
	if err == nil {
		syscall.CloseOnExec(copied)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil
	}
	// The poller takes only non-blocking descriptors.
	if err := syscall.SetNonblock(copied, true); err != nil {
		syscall.Close(copied)
		return nil
	}
	return os.NewFile(uintptr(copied), "fish_api_credit")
}
