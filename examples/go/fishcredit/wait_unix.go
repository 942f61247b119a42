//go:build unix

package fishcredit

// Waiting for the library's descriptors where Go waits for its own: a goroutine that waits takes no thread.

import (
	"os"
	"syscall"
)

// openDescriptor is a descriptor of the library's in Go's poller: a copy, because a file closes what it has. It is nil
// if there is none, or no room for a copy.
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
	// What does not block goes into the poller.
	if err := syscall.SetNonblock(copied, true); err != nil {
		syscall.Close(copied)
		return nil
	}
	return os.NewFile(uintptr(copied), "fish_api_credit")
}
