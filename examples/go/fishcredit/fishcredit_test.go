package fishcredit_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/template"
	"time"

	"github.com/fish-api-credit/fish-api-credit/examples/go/fishcredit"
)

const (
	wallet = `{"_id":"w1","user_id":"u1","credit":"12.345678","cumulative_top_up":"100.00",` +
		`"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-02-03T04:05:06.789012Z",` +
		`"has_phone_sha256":true,"has_free_credit":null}`
	// The library's promise after a deadline or a cancel is 100 ms; the rest is this machine's.
	prompt = 20 * time.Second
)

// serve starts a loopback server and a client of it.
func serve(t *testing.T, options fishcredit.Options, answer http.HandlerFunc) *fishcredit.Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	options.BaseURL = server.URL
	options.APIKey = "sk-test"
	client, err := fishcredit.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func say(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// silent answers nothing until the client has gone; arrived gets a word for each request.
func silent(arrived chan<- struct{}) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	}
}

func failure(t *testing.T, err error) *fishcredit.Error {
	t.Helper()
	var failure *fishcredit.Error
	if !errors.As(err, &failure) {
		t.Fatalf("not a *fishcredit.Error: %v", err)
	}
	return failure
}

func TestCreditIsExact(t *testing.T) {
	yes, no := true, false
	whole := fishcredit.Credit{
		ID: "w1", UserID: "u1", Text: "12.345678", Micros: 12_345_678, MicrosExact: true,
		CumulativeTopUpText: "100.00", CumulativeTopUpMicros: 100_000_000,
		CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), CreatedAtText: "2026-01-02T03:04:05Z",
		UpdatedAt:     time.Date(2026, 2, 3, 4, 5, 6, 789_012_000, time.UTC),
		UpdatedAtText: "2026-02-03T04:05:06.789012Z", HasPhone: &yes,
	}
	for _, test := range []struct {
		name, body string
		want       func(*fishcredit.Credit)
		rat        string
	}{
		{"the documented answer", wallet, func(*fishcredit.Credit) {}, "12.345678"},
		{"unknown fields", strings.Replace(wallet, "{", `{"new":[1,{"x":null}],`, 1), func(*fishcredit.Credit) {}, "12.345678"},
		{"a negative balance with twenty decimals",
			strings.Replace(wallet, "12.345678", "-0.00000000000000000001", 1),
			func(c *fishcredit.Credit) {
				c.Text, c.Micros, c.MicrosExact = "-0.00000000000000000001", -1, false
			}, "-1/100000000000000000000"},
		{"a time that is none", strings.Replace(wallet, "2026-01-02T03:04:05Z", "yesterday", 1),
			func(c *fishcredit.Credit) { c.CreatedAt, c.CreatedAtText = time.Time{}, "yesterday" }, "12.345678"},
		{"the oldest answer",
			`{"_id":"w1","user_id":"u1","credit":"0","created_at":"2026-01-02T03:04:05Z","updated_at":"2026-02-03T04:05:06.789012Z"}`,
			func(c *fishcredit.Credit) {
				c.Text, c.Micros, c.CumulativeTopUpText, c.CumulativeTopUpMicros, c.HasPhone = "0", 0, "", 0, nil
			}, "0"},
		{"free credit", strings.Replace(wallet, `"has_free_credit":null`, `"has_free_credit":false`, 1),
			func(c *fishcredit.Credit) { c.HasFreeCredit = &no }, "12.345678"},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := whole
			test.want(&want)
			client := serve(t, fishcredit.Options{}, say(200, test.body))
			got, err := client.APICredit(context.Background(), fishcredit.Query{})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
			rat, _ := new(big.Rat).SetString(test.rat)
			if got.Rat().Cmp(rat) != 0 {
				t.Errorf("Rat is %v", got.Rat())
			}
			if (got.CumulativeTopUp() == nil) != (want.CumulativeTopUpText == "") {
				t.Errorf("CumulativeTopUp is %v", got.CumulativeTopUp())
			}
			json, err := client.APICreditJSON(context.Background(), fishcredit.Query{})
			if err != nil || string(json) != test.body {
				t.Fatalf("%q, %v", json, err)
			}
			if again, err := fishcredit.ParseCredit(json); err != nil || !reflect.DeepEqual(again, want) {
				t.Errorf("parsed again: %+v, %v", again, err)
			}
		})
	}
}

func TestParseCreditRefusesWhatIsNoDocument(t *testing.T) {
	for _, json := range []string{"", " ", "{}", "[", "\x00", strings.Replace(wallet, "12.345678", "NaN", 1)} {
		_, err := fishcredit.ParseCredit([]byte(json))
		if got := failure(t, err).Status; got != fishcredit.BadResponse {
			t.Errorf("%q: %v", json, got)
		}
	}
}

func TestTheRequest(t *testing.T) {
	seen := make(chan *http.Request, 1)
	client := serve(t, fishcredit.Options{UserAgent: "go-test/1"}, func(w http.ResponseWriter, r *http.Request) {
		seen <- r
		say(200, wallet)(w, r)
	})
	query := fishcredit.Query{UserID: "a/b", TeamID: "t&1", CheckFreeCredit: true}
	if _, err := client.APICredit(context.Background(), query); err != nil {
		t.Fatal(err)
	}
	r := <-seen
	if want := "/wallet/a%2Fb/api-credit?check_free_credit=true&team_id=t%261"; r.RequestURI != want {
		t.Errorf("%s, not %s", r.RequestURI, want)
	}
	if got := r.Header.Get("Authorization"); got != "Bearer sk-test" {
		t.Error(got)
	}
	if got := r.UserAgent(); !strings.HasPrefix(got, "go-test/1 fish-api-credit/") {
		t.Error(got)
	}
}

func TestErrorsAreTyped(t *testing.T) {
	rows := `[{"loc":["query","check_free_credit"],"in":"query","type":"bool_parsing","msg":"no bool","ctx":{"a":1}},{"loc":["path"],"type":"t","msg":"m"}]`
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		want   fishcredit.Error
	}{
		{"401 with JSON", say(401, `{"status":401,"message":"Invalid Token"}`, "x-fish-trace-id", "t-1"),
			fishcredit.Error{Status: fishcredit.Unauthorized, HTTPStatus: 401, APIMessage: "Invalid Token", RequestID: "t-1",
				Body: `{"status":401,"message":"Invalid Token"}`}},
		{"401 with HTML", say(401, `<html>no</html>`),
			fishcredit.Error{Status: fishcredit.Unauthorized, HTTPStatus: 401, Body: `<html>no</html>`}},
		{"422 with field errors", say(422, rows),
			fishcredit.Error{Status: fishcredit.ValidationFailed, HTTPStatus: 422, Body: rows, FieldErrors: []fishcredit.FieldError{
				{Location: "query.check_free_credit", Source: "query", Type: "bool_parsing", Message: "no bool", Context: `{"a":1}`},
				{Location: "path", Type: "t", Message: "m"}}}},
		{"429 with Retry-After", say(429, `{"status":429,"message":"slow","reason":"rate"}`, "Retry-After", "7"),
			fishcredit.Error{Status: fishcredit.RateLimited, HTTPStatus: 429, RetryAfter: 7 * time.Second, Retryable: true,
				APIMessage: "slow", APIReason: "rate", Body: `{"status":429,"message":"slow","reason":"rate"}`}},
		{"200 that is no document", say(200, `{}`), fishcredit.Error{Status: fishcredit.BadResponse, HTTPStatus: 200, Body: `{}`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := serve(t, fishcredit.Options{MaxRetries: -1}, test.answer)
			_, err := client.APICredit(context.Background(), fishcredit.Query{})
			got := *failure(t, err)
			if got.Message == "" || !strings.Contains(got.Error(), got.Status.String()) {
				t.Errorf("%q", got.Error())
			}
			test.want.Message, test.want.Attempts = got.Message, 1
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v\nwant %+v", got, test.want)
			}
			if got.Temporary() != test.want.Retryable || got.Timeout() {
				t.Error("Temporary or Timeout")
			}
			if _, err := client.APICreditJSON(context.Background(), fishcredit.Query{}); failure(t, err).Status != test.want.Status {
				t.Errorf("as JSON: %v", err)
			}
		})
	}
}

func TestA503IsAskedAgain(t *testing.T) {
	var asked int32
	client := serve(t, fishcredit.Options{}, func(w http.ResponseWriter, r *http.Request) {
		if atomic.AddInt32(&asked, 1) == 1 {
			say(503, "busy", "Retry-After", "0")(w, r)
		} else {
			say(200, wallet)(w, r)
		}
	})
	if _, err := client.APICredit(context.Background(), fishcredit.Query{}); err != nil || atomic.LoadInt32(&asked) != 2 {
		t.Fatalf("%v after %d", err, asked)
	}
}

func TestTheEarliestDeadlineHolds(t *testing.T) {
	for _, test := range []struct {
		name            string
		options, ctx    time.Duration
		contextsOwn     bool
		least, andWhole time.Duration
	}{
		{"the client's timeout", 150 * time.Millisecond, 0, false, 150 * time.Millisecond, prompt},
		{"the context's deadline", time.Minute, 150 * time.Millisecond, true, 140 * time.Millisecond, prompt},
		{"a later context extends nothing", 150 * time.Millisecond, time.Minute, false, 150 * time.Millisecond, prompt},
		{"less than a millisecond is not the default", time.Nanosecond, 0, false, 0, prompt},
		{"a context that is nearly over", time.Minute, 100 * time.Microsecond, true, 0, prompt},
		{"a context that is over", time.Minute, -time.Second, true, 0, prompt},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := serve(t, fishcredit.Options{Timeout: test.options}, silent(make(chan struct{}, 9)))
			ctx, cancel := context.Background(), func() {}
			start := time.Now()
			if test.ctx != 0 {
				ctx, cancel = context.WithTimeout(ctx, test.ctx)
			}
			defer cancel()
			_, err := client.APICredit(ctx, fishcredit.Query{})
			took := time.Since(start)
			if errors.Is(err, context.DeadlineExceeded) != test.contextsOwn {
				t.Errorf("%v", err)
			}
			var timeout net.Error
			if !errors.As(err, &timeout) || !timeout.Timeout() {
				t.Errorf("no timeout: %v", err)
			}
			if took < test.least || took > test.least+test.andWhole {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestAWaitBeyondTheDeadlineIsNotBegun(t *testing.T) {
	client := serve(t, fishcredit.Options{}, say(429, "", "Retry-After", "3600"))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := client.APICredit(ctx, fishcredit.Query{}); failure(t, err).Status != fishcredit.RateLimited {
		t.Fatal(err)
	}
}

func TestCancelWhileWaiting(t *testing.T) {
	arrived := make(chan struct{}, 9)
	client := serve(t, fishcredit.Options{Timeout: time.Minute}, silent(arrived))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		_, err := client.APICredit(ctx, fishcredit.Query{})
		ended <- err
	}()
	<-arrived
	start := time.Now()
	cancel()
	err := <-ended
	if took := time.Since(start); took > prompt {
		t.Errorf("took %v", took)
	}
	if !errors.Is(err, context.Canceled) || failure(t, err).Status != fishcredit.Cancelled {
		t.Error(err)
	}
	if _, err := client.APICredit(ctx, fishcredit.Query{}); err != context.Canceled {
		t.Errorf("with a context that is over: %v", err)
	}
}

func TestCloseEndsTheCallsInFlightAndClosingTwiceIsHarmless(t *testing.T) {
	const calls = 20
	arrived := make(chan struct{}, calls)
	client := serve(t, fishcredit.Options{Timeout: time.Minute}, silent(arrived))
	ended := make(chan error, calls)
	for i := 0; i < calls; i++ {
		go func() {
			_, err := client.APICredit(context.Background(), fishcredit.Query{})
			ended <- err
		}()
	}
	for i := 0; i < calls; i++ {
		<-arrived
	}
	var closers sync.WaitGroup
	for i := 0; i < 2; i++ {
		closers.Add(1)
		go func() {
			defer closers.Done()
			client.Close()
		}()
	}
	for i := 0; i < calls; i++ {
		if err := <-ended; !errors.Is(err, fishcredit.ErrClosed) || failure(t, err).Status != fishcredit.Cancelled {
			t.Error(err)
		}
	}
	closers.Wait()
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	if _, err := client.APICredit(context.Background(), fishcredit.Query{}); err != fishcredit.ErrClosed {
		t.Errorf("after Close: %v", err)
	}
}

func TestHundredsOfGoroutinesShareAClient(t *testing.T) {
	const goroutines, rounds = 300, 5
	client := serve(t, fishcredit.Options{Timeout: time.Minute}, func(w http.ResponseWriter, r *http.Request) {
		id := strings.Split(r.URL.Path, "/")[2]
		if strings.HasSuffix(id, "3") {
			say(403, `{"status":403,"message":"no `+id+`"}`)(w, r)
			return
		}
		say(200, strings.Replace(wallet, "u1", id, 1))(w, r)
	})
	var wait sync.WaitGroup
	for i := 0; i < goroutines; i++ {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			id := fmt.Sprintf("user%d", i)
			for round := 0; round < rounds; round++ {
				// A goroutine that was bound to a thread and let go again goes on wherever there is room.
				if i%2 == 0 {
					runtime.LockOSThread()
				}
				credit, err := client.APICredit(context.Background(), fishcredit.Query{UserID: id})
				if i%2 == 0 {
					runtime.UnlockOSThread()
				}
				runtime.Gosched()
				if i%10 == 3 {
					var refused *fishcredit.Error
					if !errors.As(err, &refused) || refused.APIMessage != "no "+id {
						t.Errorf("%s: %v", id, err)
					}
				} else if err != nil || credit.UserID != id {
					t.Errorf("%s: %+v, %v", id, credit, err)
				}
			}
		}(i)
	}
	wait.Wait()
}

func TestAForgottenClientIsFreed(t *testing.T) {
	closed := make(chan struct{}, 9)
	server := httptest.NewUnstartedServer(say(200, wallet))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.Start()
	defer server.Close()
	func() {
		client, err := fishcredit.New(fishcredit.Options{APIKey: "k", BaseURL: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.APICredit(context.Background(), fishcredit.Query{}); err != nil {
			t.Fatal(err)
		}
	}()
	for patience := time.After(30 * time.Second); ; {
		runtime.GC()
		select {
		case <-closed:
			return
		case <-patience:
			t.Fatal("its connection is still open")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestOptionsThatAreRefused(t *testing.T) {
	os.Unsetenv("FISH_API_KEY")
	for _, test := range []struct {
		name    string
		options fishcredit.Options
		want    fishcredit.Status
		message string
	}{
		{"no key", fishcredit.Options{}, fishcredit.MissingAPIKey, "FISH_API_KEY"},
		{"a key cut short by NUL", fishcredit.Options{APIKey: "sk\x00x"}, fishcredit.InvalidArgument, "Options.APIKey"},
		{"a key with a line end", fishcredit.Options{APIKey: "sk\n"}, fishcredit.InvalidArgument, "Options.APIKey contains"},
		{"plain http to elsewhere", fishcredit.Options{APIKey: "k", BaseURL: "http://example.com"}, fishcredit.InvalidArgument, "Options.BaseURL"},
		{"a negative timeout", fishcredit.Options{APIKey: "k", Timeout: -1}, fishcredit.InvalidArgument, "Timeout"},
		{"too many retries", fishcredit.Options{APIKey: "k", MaxRetries: 1 << 40}, fishcredit.InvalidArgument, "MaxRetries"},
		{"a proxy and none", fishcredit.Options{APIKey: "k", ProxyURL: "http://127.0.0.1:1", NoProxy: true}, fishcredit.InvalidArgument, "NoProxy"},
		{"a bundle that is not there", fishcredit.Options{APIKey: "k", CAFile: "/nonexistent.pem"}, fishcredit.InvalidArgument, "Options.CAFile"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := fishcredit.New(test.options)
			got := failure(t, err)
			if got.Status != test.want || !strings.Contains(got.Message, test.message) {
				t.Errorf("%v", got)
			}
		})
	}
	client, err := fishcredit.New(fishcredit.Options{APIKey: "k", NoProxy: true, SystemRoots: true, Timeout: 1000 * time.Hour * 24})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.APICredit(context.Background(), fishcredit.Query{UserID: "a\x00b"}); failure(t, err).Status != fishcredit.InvalidArgument {
		t.Error(err)
	}
}

func TestMessagesNameGosFields(t *testing.T) {
	for _, test := range []struct {
		answer  http.HandlerFunc
		timeout time.Duration
		query   fishcredit.Query
		want    string
	}{
		{say(404, ""), time.Minute, fishcredit.Query{}, "check Query.UserID, Query.TeamID and Options.BaseURL"},
		{say(401, ""), time.Minute, fishcredit.Query{}, "check Options.APIKey or FISH_API_KEY"},
		{say(200, `{"_id":"i","user_id":[]}`), time.Minute, fishcredit.Query{}, `"user_id" is`},
		{say(200, wallet), time.Minute, fishcredit.Query{UserID: ".."}, "Query.UserID is"},
		{silent(make(chan struct{}, 9)), 50 * time.Millisecond, fishcredit.Query{}, "its timeout (50 ms)"},
	} {
		client := serve(t, fishcredit.Options{MaxRetries: -1, Timeout: test.timeout}, test.answer)
		_, err := client.APICredit(context.Background(), test.query)
		got := failure(t, err).Message
		if !strings.Contains(got, test.want) || regexp.MustCompile(`options\.|query\.|_ms\b|NULL|base_url`).MatchString(got) {
			t.Errorf("%q does not say %q", got, test.want)
		}
	}
}

// TestNothingPrintsTheKey tries every way in which a struct becomes text.
func TestNothingPrintsTheKey(t *testing.T) {
	options := fishcredit.Options{APIKey: "sk-secret", ProxyURL: "http://user:pa:ss@wo/rd@proxy.example:80", UserAgent: "studio/2.1"}
	client := serve(t, fishcredit.Options{}, say(200, wallet))
	type Config struct {
		Name    string
		Options fishcredit.Options
		Pointer *fishcredit.Options
		List    []fishcredit.Options
		Map     map[string]fishcredit.Options
		Any     any
	}
	config := Config{"c", options, &options, []fishcredit.Options{options}, map[string]fishcredit.Options{"o": options}, options}
	type Embedded struct{ fishcredit.Options }
	things := []any{options, &options, config, &config, Embedded{options}, config.List, config.Map, client}
	var texts []string
	for _, thing := range things {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%40v", "%.3s", "% x", "%#x", "%U"} {
			texts = append(texts, fmt.Sprintf(verb, thing))
		}
		texts = append(texts, fmt.Sprint(thing), fmt.Sprintln(thing), fmt.Errorf("%v", thing).Error())
		if text, err := json.Marshal(thing); err == nil {
			texts = append(texts, string(text))
		}
		if text, err := xml.Marshal(thing); err == nil {
			texts = append(texts, string(text))
		}
		var text strings.Builder
		if err := template.Must(template.New("").Parse("{{.}} {{printf \"%v\" .}}")).Execute(&text, thing); err == nil {
			texts = append(texts, text.String())
		}
	}
	texts = append(texts, options.String(), options.GoString())
	for _, text := range texts {
		for _, secret := range []string{"secret", "sk-test", fmt.Sprintf("%x", "secret"), fmt.Sprintf("%X", "secret"), fmt.Sprintf("% x", "secret"), "pa:ss", "wo/rd"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s", text)
			}
		}
	}
	// What is no secret is still there to be read.
	for _, want := range []string{"{APIKey:[redacted] ", " ProxyURL:http://[redacted]@proxy.example:80 ", " UserAgent:studio/2.1 "} {
		if got := fmt.Sprint(options); !strings.Contains(got, want) {
			t.Errorf("%q is not in %s", want, got)
		}
	}
	// JSON that is read is read whole, and what was not set is not said to be there.
	var read fishcredit.Options
	if err := json.Unmarshal([]byte(`{"APIKey":"sk-1","MaxRetries":3}`), &read); err != nil || read.APIKey != "sk-1" || read.MaxRetries != 3 {
		t.Errorf("%v", err)
	}
	if got := fmt.Sprint(fishcredit.Options{}); strings.Contains(got, "redacted") {
		t.Error(got)
	}
}

func TestStatusNames(t *testing.T) {
	for status, want := range map[fishcredit.Status]string{
		fishcredit.TimedOut: "FISH_TIMED_OUT", fishcredit.RateLimited: "FISH_RATE_LIMITED", 12345: "FISH_UNKNOWN_STATUS",
	} {
		if status.String() != want {
			t.Errorf("%d is %s", status, status)
		}
	}
}

func TestAmountsAreRoundedDown(t *testing.T) {
	for _, test := range []struct {
		micros   int64
		decimals int
		want     string
	}{
		{12_345_678, 2, "12.34"}, {-1, 2, "-0.01"}, {0, 0, "0"}, {999_999, 0, "0"}, {5, 6, "0.000005"},
		{5, 7, "0.000005"}, {-1_500_000, -1, "-2"}, {math.MinInt64, 6, "-9223372036854.775808"},
	} {
		if got := fishcredit.FormatMicros(test.micros, test.decimals); got != test.want {
			t.Errorf("%d, %d: %s", test.micros, test.decimals, got)
		}
	}
}

func TestVersions(t *testing.T) {
	if !regexp.MustCompile(`^\d+\.\d+\.\d+`).MatchString(fishcredit.Version) || fishcredit.LibraryVersion() != fishcredit.Version {
		t.Errorf("%s, %s", fishcredit.Version, fishcredit.LibraryVersion())
	}
}
