// Runs the watch of docs/go.md until its input ends.
package main

import (
	"context"
	"io"
	"log"
	"os"

	"github.com/fish-api-credit/fish-api-credit/examples/go/fishcredit"
)

func main() {
	ctx, end := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		end()
	}()
	client, err := fishcredit.New(fishcredit.Options{BaseURL: os.Getenv("FISH_BASE_URL")})
	if err == nil {
		err = follow(ctx, client)
	}
	if err != nil {
		log.Fatal(err)
	}
}
