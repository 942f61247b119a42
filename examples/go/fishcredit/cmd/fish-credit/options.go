package main

// The command line.

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/fish-api-credit/fish-api-credit/examples/go/fishcredit"
)

// request is the parsed command line.
type request struct {
	client   fishcredit.Options
	query    fishcredit.Query
	watching fishcredit.WatchOptions
	wallet   string // its kind: "account" or "team"
	refused  error  // what the package would take for the default, but a user must have meant otherwise

	watch, json, prometheus bool
	help, version           bool
}

// optionName is what may be printed. Anything else may be a misplaced key.
var optionName = regexp.MustCompile(`^--[-a-z]*$`)

// parse returns a complaint if the command line is wrong.
func parse(arguments []string) (asked request, complaint string) {
	flags := map[string]*bool{
		"--help": &asked.help, "-h": &asked.help, "--version": &asked.version,
		"--check-free-credit": &asked.query.CheckFreeCredit,
		"--watch":             &asked.watch, "--json": &asked.json, "--prometheus": &asked.prometheus,
	}
	values := map[string]*string{} // nil: not given
	for _, name := range []string{"--user", "--team", "--base-url", "--timeout", "--interval", "--low"} {
		values[name] = nil
	}
	for i := 0; i < len(arguments); i++ {
		name, value, joined := strings.Cut(arguments[i], "=")
		if flag := flags[name]; flag != nil && !joined {
			*flag = true
			if asked.help || asked.version {
				return asked, ""
			}
			continue
		}
		if _, known := values[name]; !known {
			if !optionName.MatchString(name) {
				return asked, fmt.Sprintf("argument %d is not an option; set the key in FISH_API_KEY, see --help.", i+1)
			}
			if joined {
				name += "="
			}
			return asked, "unknown option " + name + "; see --help."
		}
		if !joined {
			if i++; i == len(arguments) {
				return asked, name + " needs a value; see --help."
			}
			value = arguments[i]
		}
		values[name] = &value
	}

	if timeout := values["--timeout"]; timeout != nil {
		milliseconds, ok := parseWhole(*timeout, math.MaxUint32)
		if !ok || milliseconds == 0 {
			return asked, "--timeout takes whole milliseconds, from 1 to 4294967295."
		}
		asked.client.Timeout = time.Duration(milliseconds) * time.Millisecond
	}
	if interval := values["--interval"]; interval != nil {
		if !asked.watch {
			return asked, "--interval needs --watch; see --help."
		}
		seconds, ok := parseWhole(*interval, math.MaxUint32/1000)
		if !ok || seconds == 0 {
			return asked, "--interval takes whole seconds, from 1 to 4294967."
		}
		asked.watching.Interval = time.Duration(seconds) * time.Second
	}
	if amount := values["--low"]; amount != nil {
		micros, ok := parseAmount(*amount)
		if !ok {
			return asked, "--low takes an amount above 0 with at most six decimals, such as 5 or 0.50."
		}
		asked.watching.LowMicros = micros
	}
	if asked.prometheus && (asked.watch || asked.json) {
		return asked, "--prometheus cannot be combined with --watch or --json; see --help."
	}

	// To the package, an empty text is the default.
	asked.wallet = "account"
	if team := values["--team"]; team != nil {
		asked.wallet, asked.query.TeamID = "team", *team
		if *team == "" {
			asked.refused = invalid("Query.TeamID is empty; set it to an id, or leave it unset for none.")
		}
	}
	if user := values["--user"]; user != nil {
		asked.query.UserID = *user
		if *user == "" {
			asked.refused = invalid("Query.UserID is empty; set it to an id, or leave it unset for self.")
		}
	}
	if url := values["--base-url"]; url != nil {
		asked.client.BaseURL = *url
		if *url == "" {
			asked.client.BaseURL = "/" // refused for the same reason, in the same words
		}
	}
	return asked, ""
}

func invalid(message string) error {
	return &fishcredit.Error{Status: fishcredit.InvalidArgument, Message: message}
}

// parseWhole takes digits only, up to most.
func parseWhole(text string, most int64) (int64, bool) {
	if strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	value, err := strconv.ParseInt(text, 10, 64)
	return value, err == nil && value <= most
}

// parseAmount returns millionths of "12.34". It must be above 0, because 0 means no limit to the package.
func parseAmount(text string) (int64, bool) {
	whole, decimals, pointed := strings.Cut(text, ".")
	if !pointed {
		decimals = "0"
	}
	if decimals == "" || len(decimals) > 6 {
		return 0, false
	}
	units, wholeIsRight := parseWhole(whole, math.MaxInt64/1_000_000-1)
	fraction, fractionIsRight := parseWhole(decimals+strings.Repeat("0", 6-len(decimals)), 999_999)
	micros := units*1_000_000 + fraction
	return micros, wholeIsRight && fractionIsRight && micros > 0
}
