// Command fish-credit prints the API credit of the account that FISH_API_KEY belongs to.
//
// Its exit code says what to do: 0 all is well, 1 try again later, 2 mend something first.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"os"
	"os/signal"
	"time"

	"github.com/fish-api-credit/fish-api-credit/examples/go/fishcredit"
)

func main() { os.Exit(run()) }

func run() int {
	user := flag.String("user", "", "whose wallet; the key's own account if empty")
	team := flag.String("team", "", "the team whose wallet is meant")
	timeout := flag.Duration("timeout", 10*time.Second, "for the whole call, retries included")
	least := flag.String("least", "", "complain (exit code 2) when the balance is below this amount")
	flag.Parse()
	floor, ok := new(big.Rat).SetString(*least)
	if *least != "" && !ok {
		fmt.Fprintf(os.Stderr, "fish-credit: -least %q is no number\n", *least)
		return 2
	}

	// Ctrl-C ends the call at once; so does the timeout.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()

	client, err := fishcredit.New(fishcredit.Options{BaseURL: os.Getenv("FISH_BASE_URL"), UserAgent: "fish-credit/1"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer client.Close()

	credit, err := client.APICredit(ctx, fishcredit.Query{UserID: *user, TeamID: *team})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		var failure *fishcredit.Error
		if !errors.As(err, &failure) || failure.Retryable {
			return 1
		}
		for _, field := range failure.FieldErrors {
			fmt.Fprintf(os.Stderr, "  %s: %s\n", field.Location, field.Message)
		}
		return 2
	}
	fmt.Printf("API credit: %s (not the platform credit of a plan)\n", credit)
	if !credit.UpdatedAt.IsZero() {
		fmt.Printf("last change: %s\n", credit.UpdatedAt.Format(time.RFC3339))
	}
	if ok && credit.Rat().Cmp(floor) < 0 {
		fmt.Fprintf(os.Stderr, "fish-credit: that is below %s\n", *least)
		return 2
	}
	return 0
}
