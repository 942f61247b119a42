// Code generated from examples/c/fish-credit.c by `FISH_WRITE=1 cargo test --test generated`. DO NOT EDIT.

package main

const help = `Usage: fish-credit [options]

Shows the API credit, which API calls spend, of a Fish Audio account or a team. The two are separate. It does
not show the platform credit of a plan, which the website spends.

  --user ID             the wallet's owner (default: self, the key's own account)
  --team ID             the API credit of this team, instead of the account's own
  --check-free-credit   also ask whether free credit is left
  --low AMOUNT          the credit is low below this amount, such as 5 or 0.50
  --watch               read it periodically, and print a line for each change; Ctrl-C and SIGTERM print the
                        last balance and end it
  --interval SECONDS    with --watch, the time between two readings (default: 60)
  --json                print the server's document as it was sent, with one line break at its end; with --watch,
                        one JSON object per line
  --prometheus          print balance, level, age and success in Prometheus' text format
  --base-url URL        use another server (default: https://api.fish.audio)
  --timeout MS          the time limit in milliseconds (default: 15000)
  --version             print the versions of this program and of the library
  --help                print this help

The API key is read only from the environment variable FISH_API_KEY.

Exit status:
  0  the credit was shown
  1  the call failed, or --watch ended before it had read a balance
  2  wrong usage, or the output could not be written
  3  with --low: the credit was shown, and is low
  4  with --low or --watch: the credit was shown, and is at or below zero
Standard error explains 1 and 2. With --watch, 0, 3 and 4 describe the last balance that was read.
`
