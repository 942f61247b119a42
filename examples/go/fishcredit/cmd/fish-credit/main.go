// Command fish-credit prints the API credit of the account that FISH_API_KEY belongs to.
//
// Its exit status says what to do: 0 success, 1 try again later, 2 change something first. Errors are reported in one
// line on standard error.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/fish-api-credit/fish-api-credit/examples/go/fishcredit"
)

const (
	fine   = 0
	later  = 1
	change = 2
)

func main() {
	// A closed pipe is then a write error like any other.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(run(os.Args[1:]))
}

// here replaces the package's names in a message by the command's options and variables.
var here = strings.NewReplacer(
	"FieldErrors and APIMessage", "below", " with RequestID", "",
	"Options.APIKey or FISH_API_KEY", "FISH_API_KEY", "Options.APIKey, or FISH_API_KEY", "FISH_API_KEY",
	"Options.APIKey", "FISH_API_KEY", "Options.BaseURL", "FISH_BASE_URL",
	"Options.ProxyURL or the proxy variables", "the proxy variables",
	" (see Options.CAFile and Options.SystemRoots)", "",
	"Options.ConnectTimeout", "the connect timeout", "check the network, or raise it", "check the network",
	"Query.UserID", "-user", "Query.TeamID", "-team", "its timeout", "-timeout",
).Replace

var (
	// big.Rat would also accept fractions, and exponents that fill the memory.
	amount     = regexp.MustCompile(`^-?[0-9]{1,40}(\.[0-9]{1,40})?$`)
	optionName = regexp.MustCompile(`^--?[a-z-]{1,20}$`)
)

func run(arguments []string) int {
	options := flag.NewFlagSet("fish-credit", flag.ContinueOnError)
	user := options.String("user", "", "the wallet's owner; the key's own account if empty")
	team := options.String("team", "", "the team whose API credit to read")
	timeout := options.Duration("timeout", 10*time.Second, "for the whole call, including retries")
	least := options.String("least", "", "exit with status 2 if the balance is below this amount")
	options.SetOutput(io.Discard)
	if err := options.Parse(arguments); errors.Is(err, flag.ErrHelp) {
		var help bytes.Buffer
		options.SetOutput(&help)
		options.Usage()
		return show(help.String())
	} else if err != nil {
		return complain(change, usage(err))
	}
	if options.NArg() > 0 {
		return complain(change, "an argument is not an option; set the key in FISH_API_KEY, see -help")
	}
	if *least != "" && !amount.MatchString(*least) {
		return complain(change, "-least takes an amount, such as 12.50")
	}
	if *timeout <= 0 {
		return complain(change, "-timeout takes a time above zero, such as 2.5s")
	}

	// Ctrl-C cancels the call at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	client, err := fishcredit.New(fishcredit.Options{
		BaseURL: os.Getenv("FISH_BASE_URL"), UserAgent: "fish-credit/1", Timeout: *timeout,
	})
	if err != nil {
		return complain(change, here(err.Error()))
	}
	defer client.Close()

	credit, err := client.APICredit(ctx, fishcredit.Query{UserID: *user, TeamID: *team})
	if ctx.Err() != nil {
		return 130
	}
	if err != nil {
		var failure *fishcredit.Error
		if !errors.As(err, &failure) {
			return complain(later, err.Error())
		}
		lines := []string{here(strings.TrimPrefix(err.Error(), "fishcredit: "))}
		if failure.APIMessage != "" {
			lines = append(lines, "  the server said: "+failure.APIMessage)
		}
		for _, field := range failure.FieldErrors {
			lines = append(lines, fmt.Sprintf("  %s: %s", field.Location, field.Message))
		}
		if failure.Retryable {
			return complain(later, lines...)
		}
		return complain(change, lines...)
	}
	text := fmt.Sprintf("API credit: %s (not the platform credit of a plan)\n", credit)
	if !credit.UpdatedAt.IsZero() {
		text += fmt.Sprintf("last change: %s\n", credit.UpdatedAt.Format(time.RFC3339))
	}
	if outcome := show(text); outcome != fine {
		return outcome
	}
	if floor, ok := new(big.Rat).SetString(*least); ok && credit.Rat().Cmp(floor) < 0 {
		return complain(change, "the balance is below "+*least)
	}
	return fine
}

// usage describes what is wrong with the options, and prints nothing that could be a misplaced key.
func usage(err error) string {
	const unknown = "flag provided but not defined: "
	if name := strings.TrimPrefix(err.Error(), unknown); name != err.Error() {
		if optionName.MatchString(name) {
			return "unknown option " + name + "; see -help"
		}
		return "an argument is not an option; set the key in FISH_API_KEY, see -help"
	}
	if strings.HasPrefix(err.Error(), "invalid value ") {
		return "-timeout takes a time, such as 2.5s"
	}
	return err.Error() + "; see -help"
}

// show prints to standard output, and reports an error of that.
func show(text string) int {
	if _, err := os.Stdout.WriteString(text); err != nil {
		var why *os.PathError
		if errors.As(err, &why) {
			err = why.Err
		}
		return complain(change, "standard output: "+err.Error())
	}
	return fine
}

func complain(outcome int, lines ...string) int {
	for i, line := range lines {
		if i == 0 {
			line = "fish-credit: " + line
		}
		// A server's text must not control the terminal.
		fmt.Fprintln(os.Stderr, strings.Map(func(r rune) rune {
			if unicode.IsPrint(r) {
				return r
			}
			return '?'
		}, line))
	}
	return outcome
}
