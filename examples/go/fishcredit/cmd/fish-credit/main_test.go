package main

// What can be seen without the C program. That every command prints the same is tested in tests/commands.rs.

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"unicode"
)

const wallet = `{"_id":"w1","user_id":"u1","credit":"%s","created_at":"2026-01-02T03:04:05Z","updated_at":"2026-02-03T04:05:06Z"}`

// The test is the command when it is told so: what a process does with signals and output can only be seen from outside.
func TestMain(m *testing.M) {
	if os.Getenv("FISH_CREDIT_COMMAND") != "" {
		main()
	}
	os.Exit(m.Run())
}

// serve is a server that answers each request with the next of these balances, and then with the last.
func serve(t *testing.T, status int, balances ...string) string {
	var asked int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := int(atomic.AddInt32(&asked, 1)) - 1
		if n >= len(balances) {
			n = len(balances) - 1
		}
		w.WriteHeader(status)
		if status == http.StatusOK {
			fmt.Fprintf(w, wallet, balances[n])
		} else {
			fmt.Fprint(w, balances[n])
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func command(url string, arguments ...string) (*exec.Cmd, *strings.Builder) {
	command := exec.Command(os.Args[0], append([]string{"--base-url", url}, arguments...)...)
	complaints := new(strings.Builder)
	command.Stderr = complaints
	command.Env = append(os.Environ(), "FISH_CREDIT_COMMAND=1", "FISH_API_KEY=sk-test")
	return command, complaints
}

func TestWrongUsageIsExplainedAndNoKeyIsPrinted(t *testing.T) {
	for _, test := range []struct{ line, complaint string }{
		{"sk-stray", "argument 1 is not an option;"},
		{"--json --sk-stray-0", "argument 2 is not an option;"},
		{"--api-key=sk-stray", "unknown option --api-key=;"},
		{"-user stray", "argument 1 is not an option;"},
		{"--json=stray", "unknown option --json=;"},
		{"--user", "--user needs a value;"},
		{"--timeout=1.5", "--timeout takes whole milliseconds,"},
		{"--timeout 4294967296", "--timeout takes whole milliseconds,"},
		{"--low=0", "--low takes an amount above 0"},
		{"--low 5.", "--low takes an amount above 0"},
		{"--low 9223372036854", "--low takes an amount above 0"},
		{"--interval 5", "--interval needs --watch;"},
		{"--watch --interval 4294968", "--interval takes whole seconds,"},
		{"--prometheus --json", "--prometheus cannot be combined"},
	} {
		_, complaint := parse(strings.Fields(test.line))
		if !strings.HasPrefix(complaint, test.complaint) || strings.Contains(complaint, "stray") {
			t.Errorf("%s: %q", test.line, complaint)
		}
	}
}

func TestAmountsAreExact(t *testing.T) {
	for text, want := range map[string]int64{"5": 5_000_000, "0.50": 500_000, "0.000001": 1, "9223372036853.999999": 9223372036853_999_999} {
		if got, ok := parseAmount(text); got != want || !ok {
			t.Errorf("%s: %d %v", text, got, ok)
		}
	}
}

func TestTheExitStatusSaysWhatTheBalanceIs(t *testing.T) {
	for balance, want := range map[string]int{"5": shown, "4.999999": low, "0": empty, "-0.0000001": empty} {
		command, complaints := command(serve(t, 200, balance), "--low", "5")
		output, _ := command.Output()
		if code := command.ProcessState.ExitCode(); code != want || complaints.Len() > 0 {
			t.Errorf("%s: %d %s", balance, code, complaints)
		}
		if !strings.Contains(string(output), "\n  exact text       "+balance+"\n") {
			t.Errorf("%s: %s", balance, output)
		}
	}
}

func TestAServersTextDoesNotControlTheTerminal(t *testing.T) {
	rows := `[{"loc":["path","\u001b[2J"],"type":"t","msg":"\u009b2J\r\nx"}]`
	command, complaints := command(serve(t, 422, rows))
	output, _ := command.Output()
	if code := command.ProcessState.ExitCode(); code != failed || len(output) > 0 {
		t.Errorf("%d %s", code, output)
	}
	bad := func(r rune) bool { return r != '\n' && unicode.IsControl(r) }
	if said := complaints.String(); strings.IndexFunc(said, bad) >= 0 || strings.Count(said, "\n") != 2 {
		t.Errorf("%q", said)
	}
}

func TestASignalEndsAWatchWithTheLastBalance(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		command, complaints := command(serve(t, 200, "7", "2.5"), "--watch", "--interval", "1", "--low", "5")
		output, err := command.StdoutPipe()
		if err == nil {
			err = command.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
			lines = append(lines, strings.SplitN(scanner.Text(), ": ", 2)[1])
			if len(lines) == 2 {
				command.Process.Signal(signal)
			}
		}
		command.Wait()
		want := "7.00 US dollars (7), ok|2.50 US dollars (2.5), low|2.50 US dollars (2.5), low"
		if got := strings.Join(lines, "|"); got != want || command.ProcessState.ExitCode() != low {
			t.Errorf("%s: %s, %v %s", signal, got, command.ProcessState, complaints)
		}
	}
}

func TestWhatCannotBeWrittenIsToldInOneLine(t *testing.T) {
	url := serve(t, 200, "5")
	read, pipe, _ := os.Pipe()
	read.Close()
	defer pipe.Close()
	outputs := map[string]*os.File{"Broken pipe": pipe}
	if full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0); err == nil {
		defer full.Close()
		outputs["No space left on device"] = full
	}
	for why, output := range outputs {
		for _, argument := range []string{"--help", "--low=13", "--watch"} {
			command, complaints := command(url, argument)
			command.Stdout = output
			command.Run()
			want := "fish-credit: standard output: " + why + "\n"
			if code := command.ProcessState.ExitCode(); code != unwritten || complaints.String() != want {
				t.Errorf("%s: %d %q", argument, code, complaints)
			}
		}
	}
}
