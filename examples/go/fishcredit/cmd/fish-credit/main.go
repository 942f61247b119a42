// Command fish-credit shows a Fish Audio account's API credit, once or whenever it changes.
//
// Its options, output and exit statuses are those of the C program of this name (examples/c/fish-credit.c), and --help
// lists them: this file reads the credit, options.go the command line, output.go has what is printed.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/fish-api-credit/fish-api-credit/examples/go/fishcredit"
)

// The exit statuses.
const (
	shown     = 0
	failed    = 1
	usage     = 2
	unwritten = 2
	low       = 3
	empty     = 4
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a closed pipe is then a write error, like a full disk
	os.Exit(run(os.Args[1:]))
}

func run(arguments []string) int {
	asked, complaint := parse(arguments)
	switch {
	case complaint != "":
		explain(complaint)
		return usage
	case asked.help:
		out.WriteString(help)
		return finish(shown)
	case asked.version:
		out.WriteString("fish-credit " + fishcredit.Version + ", library " + fishcredit.LibraryVersion() + "\n")
		return finish(shown)
	}
	client, err := fishcredit.New(asked.client)
	if err != nil {
		if asked.prometheus {
			expose(nil, fishcredit.LevelUnknown, asked)
		}
		complain(err)
		return finish(failed)
	}
	defer client.Close()
	if asked.watch {
		return finish(keepWatching(client, asked))
	}
	return finish(ask(client, asked))
}

// ask makes one call.
func ask(client *fishcredit.Client, asked request) int {
	credit, document, err := read(client, asked)
	if err != nil {
		if asked.prometheus {
			expose(nil, fishcredit.LevelUnknown, asked)
		}
		complain(err)
		return failed
	}
	level := levelOf(credit.Micros, asked.watching.LowMicros)
	switch {
	case asked.prometheus:
		expose(&credit, level, asked)
	case asked.json:
		out.WriteString(strings.TrimRight(string(document), "\r\n") + "\n")
	default:
		show(credit, level, asked)
	}
	if asked.watching.LowMicros == 0 {
		return shown
	}
	return outcome(level)
}

// read returns the credit, and with --json the document that it is from.
func read(client *fishcredit.Client, asked request) (credit fishcredit.Credit, document []byte, err error) {
	if err = asked.refused; err != nil {
		return
	}
	if !asked.json {
		credit, err = client.APICredit(context.Background(), asked.query)
		return
	}
	if document, err = client.APICreditJSON(context.Background(), asked.query); err == nil {
		credit, err = fishcredit.ParseCredit(document)
	}
	return
}

// keepWatching prints a line for each change, and a last one when a signal ends it.
func keepWatching(client *fishcredit.Client, asked request) int {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	var watch *fishcredit.Watch
	err := asked.refused
	if err == nil {
		watch, err = client.Watch(context.Background(), asked.query, asked.watching)
	}
	if err != nil {
		complain(err)
		return failed
	}
	defer watch.Close()
	level := fishcredit.LevelUnknown
	for going := true; going; {
		var state fishcredit.State
		select {
		case state = <-watch.States():
		case <-signals:
			signal.Stop(signals) // a second Ctrl-C ends the program at once
			going, state = false, watch.Read()
		}
		level = state.Level
		putLine(state, asked)
		if out.Flush() != nil {
			going = false
		}
	}
	if level == fishcredit.LevelUnknown {
		explain("no balance was read.")
		return failed
	}
	return outcome(level)
}

func levelOf(micros, lowMicros int64) fishcredit.Level {
	switch {
	case micros <= 0:
		return fishcredit.LevelEmpty
	case micros < lowMicros:
		return fishcredit.LevelLow
	}
	return fishcredit.LevelOK
}

// outcome is the exit status for a credit that was shown.
func outcome(level fishcredit.Level) int {
	switch level {
	case fishcredit.LevelEmpty:
		return empty
	case fishcredit.LevelLow:
		return low
	}
	return shown
}

// finish returns the exit status, which reports output that could not be written.
func finish(outcome int) int {
	err := out.Flush()
	if err == nil {
		return outcome
	}
	var why syscall.Errno
	if text := err.Error(); !errors.As(err, &why) {
		explain("standard output: " + text)
	} else if text = why.Error(); text != "" {
		// C's words begin with a capital letter.
		explain("standard output: " + strings.ToUpper(text[:1]) + text[1:])
	}
	return unwritten
}
