package main

// What is printed: for people, for programs, and why a call failed.

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/fish-api-credit/fish-api-credit/examples/go/fishcredit"
)

// out is standard output. It keeps its first error.
var out = bufio.NewWriter(os.Stdout)

// inOptions replaces the package's names in a message by the command's options. Longer names come before their prefixes.
var inOptions = strings.NewReplacer(
	"Options.APIKey or FISH_API_KEY", "FISH_API_KEY", "Options.APIKey, or FISH_API_KEY", "FISH_API_KEY",
	"Options.APIKey", "FISH_API_KEY", "Options.BaseURL", "--base-url",
	"Query.UserID", "--user", "Query.TeamID", "--team",
	"Options.ConnectTimeout", "the connect timeout", "check the network, or raise it", "check the network",
	"its timeout", "--timeout", "Options.ProxyURL or the proxy variables", "the proxy variables",
	" (see Options.CAFile and Options.SystemRoots)", "", "RequestID", "the request id",
	"see FieldErrors and APIMessage", "check the options",
).Replace

// plain replaces control characters, with which a server's text could control the terminal.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, text)
}

func row(label, text string) string { return fmt.Sprintf("%-18s %s\n", label, plain(text)) }

// dollars is the balance in cents, rounded down like the micros.
func dollars(credit fishcredit.Credit) string {
	if !credit.MicrosExact && (credit.Micros == math.MaxInt64 || credit.Micros == math.MinInt64) {
		return "see the exact text"
	}
	return fishcredit.FormatMicros(credit.Micros, 2) + " US dollars"
}

func yesOrNo(flag *bool, unknown string) string {
	switch {
	case flag == nil:
		return unknown
	case *flag:
		return "yes"
	}
	return "no"
}

func levelName(level fishcredit.Level) string {
	switch level {
	case fishcredit.LevelOK:
		return "ok"
	case fishcredit.LevelLow:
		return "low"
	case fishcredit.LevelEmpty:
		return "empty"
	}
	return "unknown"
}

func show(credit fishcredit.Credit, level fishcredit.Level, asked request) {
	const unsaid = "not sent by the server"
	whose, topUp, free := "the account's API credit, not a team's or", credit.CumulativeTopUpText, unsaid
	if asked.wallet == "team" {
		whose = "the team's API credit, not the account's or"
	}
	if topUp == "" {
		topUp = unsaid
	}
	if !asked.query.CheckFreeCredit {
		free = "not requested (--check-free-credit)"
	}
	out.WriteString(row("API credit", dollars(credit)))
	out.WriteString(row("  exact text", credit.Text))
	out.WriteString(row("  which wallet", whose+" a plan's platform credit"))
	if asked.watching.LowMicros != 0 {
		out.WriteString(row("  level", levelName(level)))
	}
	out.WriteString(row("Total paid in", topUp))
	out.WriteString(row("Free credit left", yesOrNo(credit.HasFreeCredit, free)))
	out.WriteString(row("Phone number known", yesOrNo(credit.HasPhone, unsaid)))
	out.WriteString(row("Account", credit.UserID))
	out.WriteString(row("Wallet", credit.ID))
	out.WriteString(row("Created", credit.CreatedAtText))
	out.WriteString(row("Last changed", credit.UpdatedAtText))
}

// expose prints Prometheus' text format, also for a failure (credit is nil).
func expose(credit *fishcredit.Credit, level fishcredit.Level, asked request) {
	metric := func(name, help, value string) {
		fmt.Fprintf(out, "# HELP fish_api_credit_%s %s\n# TYPE fish_api_credit_%[1]s gauge\n", name, help)
		fmt.Fprintf(out, "fish_api_credit_%s{wallet=\"%s\"} %s\n", name, asked.wallet, value)
	}
	success := "0"
	if credit != nil {
		success = "1"
	}
	metric("success", "Whether the API credit could be read: 1 or 0.", success)
	metric("level", "0 unknown, 1 ok, 2 low, 3 empty.", fmt.Sprint(int(level)))
	if credit == nil {
		return
	}
	metric("balance", "The API credit that is left, in US dollars. Not a plan's platform credit.",
		fishcredit.FormatMicros(credit.Micros, 6))
	metric("age_seconds", "How long ago the balance was read.", "0")
}

// putLine prints one line with the watch's state.
func putLine(state fishcredit.State, asked request) {
	now := time.Now().UTC().Format("2006-01-02T15:04:05Z")
	message := ""
	var failure *fishcredit.Error
	if errors.As(state.Err, &failure) {
		message = inOptions(failure.Message)
	}
	if asked.json {
		credit, told := "null", "null"
		if state.Credit != nil {
			credit = `"` + state.Credit.Text + `"` // a number: nothing to escape
		}
		if failure != nil {
			told = quoted(message)
		}
		fmt.Fprintf(out, `{"time":"%s","wallet":"%s","credit":%s,"level":"%s","age_ms":%d,"status":"%s","failures":%d,"message":%s}`+"\n",
			now, asked.wallet, credit, levelName(state.Level), state.Age.Milliseconds(), state.Status, state.Failures, told)
		return
	}
	fmt.Fprintf(out, "%s  API credit of the %s: ", now, asked.wallet)
	switch {
	case state.Credit != nil:
		fmt.Fprintf(out, "%s (%s), %s", dollars(*state.Credit), state.Credit, levelName(state.Level))
	case state.Status == fishcredit.Pending:
		out.WriteString("not read yet")
	default:
		out.WriteString("unknown")
	}
	if failure != nil {
		if state.Credit != nil {
			fmt.Fprintf(out, " %d s ago", int64(state.Age/time.Second))
		}
		fmt.Fprintf(out, "; %s: %s", failure.Status, plain(message))
	}
	out.WriteString("\n")
}

// quoted is a text as JSON. All but control characters, quotes and backslashes stay as they are.
func quoted(text string) string {
	var json strings.Builder
	for _, r := range text {
		switch {
		case r < ' ':
			fmt.Fprintf(&json, `\u%04x`, r)
		case r == '"' || r == '\\':
			json.WriteRune('\\')
			fallthrough
		default:
			json.WriteRune(r)
		}
	}
	return `"` + json.String() + `"`
}

// complain prints "FISH_TIMED_OUT: message", followed by what the server sent.
func complain(err error) {
	var failure *fishcredit.Error
	if !errors.As(err, &failure) {
		explain(err.Error())
		return
	}
	text := failure.Status.String() + ": " + plain(inOptions(failure.Message)) + "\n"
	if failure.APIMessage != "" {
		text += row("  the server said", failure.APIMessage)
	}
	if failure.APIReason != "" {
		text += row("  its reason", failure.APIReason)
	}
	for _, wrong := range failure.FieldErrors {
		location, message := wrong.Location, wrong.Message
		if location == "" {
			location = "(no field)"
		}
		if message == "" {
			message = wrong.Type
		}
		text += "  " + plain(location+": "+message)
		if wrong.Context != "" {
			text += plain(" (" + wrong.Context + ")")
		}
		text += "\n"
	}
	if failure.RetryAfter > 0 { // in tenths of a second, rounded up: never earlier than the server said
		tenths := (failure.RetryAfter.Milliseconds() + 99) / 100
		text += fmt.Sprintf("%-18s %d.%d s\n", "  ask again after", tenths/10, tenths%10)
	}
	if failure.Attempts > 1 {
		text += fmt.Sprintf("%-18s %d times\n", "  tried", failure.Attempts)
	}
	if failure.RequestID != "" {
		text += row("  request id", failure.RequestID)
	}
	os.Stderr.WriteString(text)
}

// explain prints a line of the command's own.
func explain(complaint string) { fmt.Fprintln(os.Stderr, "fish-credit: "+complaint) }
