// What a user does with the module, against the sandbox.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"runtime"
	"time"

	"github.com/fish-api-credit/fish-api-credit/examples/go/fishcredit"
)

func main() {
	url := os.Getenv("FISH_BASE_URL")
	client, err := fishcredit.New(fishcredit.Options{BaseURL: url})
	must(err)
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	credit, err := client.APICredit(ctx, fishcredit.Query{})
	must(err)
	text, err := client.APICreditJSON(ctx, fishcredit.Query{})
	must(err)
	kept, err := fishcredit.ParseCredit(text)
	must(err)
	if credit.Micros != 12345678 || kept.String() != credit.String() {
		log.Fatalf("%v, and as JSON %v", credit, kept)
	}

	another, err := fishcredit.New(fishcredit.Options{BaseURL: url, APIKey: "another"})
	must(err)
	defer another.Close()
	_, err = another.APICredit(ctx, fishcredit.Query{})
	var failure *fishcredit.Error
	if !errors.As(err, &failure) || failure.Status != fishcredit.Unauthorized {
		log.Fatalf("with a wrong key: %v", err)
	}

	watch, err := client.Watch(ctx, fishcredit.Query{}, fishcredit.WatchOptions{Interval: time.Minute, LowMicros: 20_000_000})
	must(err)
	defer watch.Close()
	if state := <-watch.States(); state.Level != fishcredit.LevelLow || state.Credit.Micros != credit.Micros {
		log.Fatalf("the watch has %+v", state)
	}
	fmt.Printf("%s for %s/%s: %s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, credit)
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
