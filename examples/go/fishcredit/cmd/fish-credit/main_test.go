package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"
)

const (
	wallet = `{"_id":"w1","user_id":"u1","credit":"12.345678","created_at":"2026-01-02T03:04:05Z","updated_at":"2026-02-03T04:05:06Z"}`
	shown  = "API credit: 12.345678 (not the platform credit of a plan)\nlast change: 2026-02-03T04:05:06Z\n"
	stray  = "fish-credit: an argument is not an option; set the key in FISH_API_KEY, see -help\n"
)

// The test is the command when it is told so: what a process does with its output can only be seen from outside.
func TestMain(m *testing.M) {
	if os.Getenv("FISH_CREDIT_COMMAND") != "" {
		main()
	}
	os.Exit(m.Run())
}

// serve is a server, and how often it was asked.
func serve(t *testing.T, status int, body string) (string, *int32) {
	asked := new(int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		atomic.AddInt32(asked, 1)
		if status == 0 {
			<-r.Context().Done()
			return
		}
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

func command(url string, arguments ...string) (*exec.Cmd, *strings.Builder, *strings.Builder) {
	command := exec.Command(os.Args[0], arguments...)
	out, err := new(strings.Builder), new(strings.Builder)
	command.Stdout, command.Stderr = out, err
	command.Env = append(os.Environ(), "FISH_CREDIT_COMMAND=1", "FISH_API_KEY=sk-test", "FISH_BASE_URL="+url)
	return command, out, err
}

func TestTheCommand(t *testing.T) {
	const amount, timeout = "fish-credit: -least takes an amount, such as 12.50\n", "fish-credit: -timeout takes a time"
	row := `[{"loc":["path","\u001b[2J"],"type":"t","msg":"\u009b2J\r\nx"}]`
	for _, test := range []struct {
		status    int
		body      string
		arguments string
		code      int
		out, err  string // err: how it begins
	}{
		{200, wallet, "", 0, shown, ""},
		{200, wallet, "-least 12.345678", 0, shown, ""},
		{200, wallet, "-least 12.345679", 2, shown, "fish-credit: the balance is below 12.345679\n"},
		{401, "", "", 2, "", "fish-credit: The server rejected the API key (HTTP 401); check FISH_API_KEY. (FISH_UNAUTHORIZED)\n"},
		{404, "", "", 2, "", "fish-credit: There is no such wallet (HTTP 404); check -user, -team and FISH_BASE_URL."},
		{403, `{"message":"no"}`, "", 2, "", "fish-credit: "},
		{422, row, "", 2, "", "fish-credit: The request is invalid (HTTP 422); see below."},
		{429, "", "", 1, "", "fish-credit: "},
		{0, "", "-timeout 100ms", 1, "", "fish-credit: The call exceeded -timeout (100 ms)"},
		{200, "", "-least NaN", 2, "", amount},
		{200, "", "-least inf", 2, "", amount},
		{200, "", "-least 1/3", 2, "", amount},
		{200, "", "-least 1e999999999", 2, "", amount},
		{200, "", "-least 0x10", 2, "", amount},
		{200, "", "-timeout 0", 2, "", timeout},
		{200, "", "-timeout -1s", 2, "", timeout},
		{200, "", "-timeout sk-stray", 2, "", timeout},
		{200, "", "-nonsense", 2, "", "fish-credit: unknown option -nonsense; see -help\n"},
		{200, "", "-user", 2, "", "fish-credit: flag needs an argument: -user; see -help\n"},
		{200, "", "sk-stray", 2, "", stray},
		{200, "", "-user self sk-stray", 2, "", stray},
		{200, "", "-sk-stray-0", 2, "", stray},
	} {
		t.Run(fmt.Sprint(test.status, test.arguments), func(t *testing.T) {
			url, asked := serve(t, test.status, test.body)
			command, out, err := command(url, strings.Fields(test.arguments)...)
			command.Run()
			if code := command.ProcessState.ExitCode(); code != test.code || out.String() != test.out {
				t.Errorf("%d %q %q", code, out, err)
			}
			lines := strings.Count(err.String(), "\n")
			if !strings.HasPrefix(err.String(), test.err) || (test.err == "") != (lines == 0) || strings.Contains(err.String(), "stray") {
				t.Errorf("%q", err)
			}
			wanted := 1
			if test.status == 422 || test.status == 403 {
				wanted = 2
				if !strings.Contains(err.String(), "\n  path.") && !strings.Contains(err.String(), "\n  the server said: no\n") {
					t.Errorf("%q", err)
				}
			}
			// What a server says does not command the terminal.
			if lines > wanted || strings.IndexFunc(err.String(), func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) >= 0 {
				t.Errorf("%q", err)
			}
			if test.status == 200 && test.body == "" && atomic.LoadInt32(asked) != 0 {
				t.Error("it asked")
			}
		})
	}
}

func TestWhatCannotBeWrittenIsToldInOneLine(t *testing.T) {
	url, _ := serve(t, 200, wallet)
	read, pipe, _ := os.Pipe()
	read.Close()
	defer pipe.Close()
	outputs := map[string]*os.File{"a pipe that nobody reads": pipe}
	if full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0); err == nil {
		defer full.Close()
		outputs["a full disk"] = full
	}
	for name, output := range outputs {
		for _, argument := range []string{"-help", "-least=13"} {
			command, _, err := command(url, argument)
			command.Stdout = output
			command.Run()
			code, said := command.ProcessState.ExitCode(), err.String()
			if code != 2 || !strings.HasPrefix(said, "fish-credit: standard output: ") || strings.Count(said, "\n") != 1 {
				t.Errorf("%s %s: %d %q", name, argument, code, said)
			}
		}
	}
}
