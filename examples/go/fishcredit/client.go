// Package fishcredit reads a Fish Audio account's API credit. It wraps libfish_api_credit with Go's idioms: contexts
// instead of timeouts and tokens, errors.As instead of an error struct, big.Rat for money, time.Time for times.
//
// This file has the client and its call; credit.go has the result, error.go the error, watch.go the watch.
package fishcredit

// #include <stdlib.h>
// #include <string.h>
// #include <fish_api_credit.h>
import "C"

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// Version is the version of the library that this package was built for.
const Version = C.FISH_VERSION

// LibraryVersion returns the version of the library that was loaded, which may be a newer one.
func LibraryVersion() string { return C.GoString(C.fish_version()) }

// ErrClosed is what a call on a closed client returns.
var ErrClosed = errors.New("fishcredit: the client is closed")

const (
	defaultTimeout = 15 * time.Second
	longestTimeout = math.MaxUint32 * time.Millisecond
)

// Options are a client's options. The zero value is all defaults. Printing them or converting them to JSON does not
// reveal the key or a proxy's password; see secret.go. A context can only shorten Timeout.
type Options struct {
	// Generated from src/ffi: the fields of fish_client_options.

	// The secret API key. "": the environment variable FISH_API_KEY. Sent only to BaseURL's host; wiped from
	// memory when the client is closed.
	APIKey string
	// The API's address. "": "https://api.fish.audio". It may have a port and a path, but no user, query or
	// fragment. Plain http:// is allowed for loopback hosts only.
	BaseURL string
	// "http://[user:password@]host:port" or "socks5://...". For none, see NoProxy. "": the environment variables
	// HTTPS_PROXY, ALL_PROXY and NO_PROXY, which are ignored if BaseURL is a loopback host. For such a host,
	// only a proxy on a loopback host is allowed.
	ProxyURL string
	// The path of a PEM file with the certificates to trust, and no others. "": see SystemRoots.
	CAFile string
	// Prepended to the library's own User-Agent, such as "studio/2.1". "": "fish-api-credit/0.1.0" alone.
	UserAgent string
	// For a whole call: resolving, connecting, retries and the waits between them. 0: 15 s.
	Timeout time.Duration
	// For one connection attempt, TLS included. 0: 5 s.
	ConnectTimeout time.Duration
	// How many times a failed request is retried. 0: 2 times. -1: never.
	MaxRetries int
	// Trust the operating system's certificate authorities instead of Mozilla's.
	SystemRoots bool

	// End of the generated part.

	// Ignore the environment and use no proxy.
	NoProxy bool
}

// Query says which wallet to read. The zero value is the key's own account.
type Query struct {
	UserID          string // the wallet's owner; "": "self"
	TeamID          string // the team whose API credit to read; "": the account's own
	CheckFreeCredit bool   // ask for Credit.HasFreeCredit too
}

// Client holds connections and options. Create one and share it: any number of goroutines may call at once.
type Client struct {
	timeout time.Duration

	mu     sync.RWMutex // guards handle; held while a call starts, which never waits
	handle *C.fish_client
}

// New creates a client. It sends nothing: the first call reports a wrong key.
//
// Close it when done; the garbage collector frees one that is not closed.
func New(options Options) (*Client, error) {
	if loaded := C.fish_abi_version(); loaded != C.FISH_ABI_VERSION {
		return nil, fmt.Errorf("fishcredit: built for ABI %d of libfish_api_credit, but %d was loaded", C.FISH_ABI_VERSION, loaded)
	}
	var given arguments
	defer given.free()
	c := C.fish_client_options{
		// Generated from src/ffi: how each is given.
		api_key:            given.text("Options.APIKey", options.APIKey),
		base_url:           given.text("Options.BaseURL", options.BaseURL),
		proxy_url:          given.proxy(options),
		ca_file:            given.text("Options.CAFile", options.CAFile),
		user_agent:         given.text("Options.UserAgent", options.UserAgent),
		timeout_ms:         given.milliseconds("Options.Timeout", options.Timeout),
		connect_timeout_ms: given.milliseconds("Options.ConnectTimeout", options.ConnectTimeout),
		max_retries:        given.count("Options.MaxRetries", options.MaxRetries),
		tls_roots:          roots(options.SystemRoots),
		// End of the generated part.
	}
	if given.err != nil {
		return nil, given.err
	}
	timeout := options.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}

	var handle *C.fish_client
	var failure C.fish_error
	if C.fish_client_new(&c, &handle, &failure) != C.FISH_OK {
		return nil, takeError(&failure, nil)
	}
	client := &Client{timeout: timeout, handle: handle}
	// No call is running by then, because a call keeps its client alive.
	runtime.SetFinalizer(client, func(client *Client) { C.fish_client_free(client.handle) })
	return client, nil
}

// Close cancels the running calls (ErrClosed), ends the watches and frees the client. The connections are closed and
// the key is wiped when the last call has returned; Close does not wait for that. Closing twice is harmless.
func (client *Client) Close() error {
	client.mu.Lock()
	defer client.mu.Unlock()
	C.fish_client_free(client.handle)
	client.handle = nil
	runtime.SetFinalizer(client, nil)
	return nil
}

// APICredit reads an account's API credit, which API calls spend; it is not the platform credit of a plan. It returns
// by the context's deadline or the client's timeout, whichever comes first, and at once when the context is cancelled;
// errors.Is then finds context.Canceled or context.DeadlineExceeded. Every failure of the call itself is an *Error.
func (client *Client) APICredit(ctx context.Context, query Query) (Credit, error) {
	var out C.fish_api_credit
	err := client.call(ctx, query, func(call *C.fish_call, failure *C.fish_error) C.fish_status {
		return C.fish_call_result(call, &out, failure)
	})
	if err != nil {
		return Credit{}, err
	}
	return takeCredit(&out), nil
}

// APICreditJSON is like APICredit, but returns the server's document exactly as sent. ParseCredit decodes it.
func (client *Client) APICreditJSON(ctx context.Context, query Query) ([]byte, error) {
	var out *C.char
	err := client.call(ctx, query, func(call *C.fish_call, failure *C.fish_error) C.fish_status {
		return C.fish_call_result_json(call, &out, failure)
	})
	if err != nil {
		return nil, err
	}
	defer C.fish_string_free(out)
	return []byte(C.GoString(out)), nil
}

// call runs one background call of the library. No thread of Go waits for it.
func (client *Client) call(ctx context.Context, query Query, result func(*C.fish_call, *C.fish_error) C.fish_status) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	timeout, byContext := client.timeout, false
	if deadline, ok := ctx.Deadline(); ok {
		if left := time.Until(deadline); left < timeout {
			timeout, byContext = left, true
		}
		if timeout <= 0 {
			return context.DeadlineExceeded
		}
	}
	// An unreachable client would be freed, which cancels its calls.
	defer runtime.KeepAlive(client)
	var call *C.fish_call
	err := client.start(query, timeout, func(handle *C.fish_client, query *C.fish_api_credit_query, failure *C.fish_error) C.fish_status {
		return C.fish_call_start(handle, query, &call, failure)
	})
	if err != nil {
		return err
	}
	defer C.fish_call_free(call)
	file := openDescriptor(int(C.fish_call_descriptor(call)))
	if file != nil {
		defer file.Close()
	}
	done := func() bool { return bool(C.fish_call_is_done(call)) }
	err = waitFor(ctx, file, done)
	if byContext && err == context.DeadlineExceeded {
		// The library has the same deadline, ends within 100 ms of it, and reports what the call was doing.
		err = waitFor(context.Background(), file, done)
	}
	if err != nil {
		return &Error{Status: Cancelled, Message: "The call was cancelled by its context.", cause: err}
	}

	var failure C.fish_error
	var cause error
	switch status := result(call, &failure); {
	case status == C.FISH_OK:
		return nil
	case status == C.FISH_CANCELLED:
		cause = ErrClosed
	case status == C.FISH_TIMED_OUT && byContext:
		cause = context.DeadlineExceeded
	}
	return takeError(&failure, cause)
}

// start starts a call or watch; the library copies the query. A timeout of 0 means the client's.
func (client *Client) start(query Query, timeout time.Duration, begin func(*C.fish_client, *C.fish_api_credit_query, *C.fish_error) C.fish_status) error {
	var given arguments
	defer given.free()
	c := C.fish_api_credit_query{
		user_id:           given.text("Query.UserID", query.UserID),
		team_id:           given.text("Query.TeamID", query.TeamID),
		check_free_credit: C.bool(query.CheckFreeCredit),
		timeout_ms:        milliseconds(timeout),
	}
	if given.err != nil {
		return given.err
	}
	client.mu.RLock()
	defer client.mu.RUnlock()
	if client.handle == nil {
		return ErrClosed
	}
	var failure C.fish_error
	if begin(client.handle, &c, &failure) != C.FISH_OK {
		return takeError(&failure, nil)
	}
	return nil
}

// milliseconds rounds up, so that a short timeout does not become 0, the default.
func milliseconds(d time.Duration) C.uint32_t {
	if d > longestTimeout {
		d = longestTimeout
	}
	return C.uint32_t((d + time.Millisecond - 1) / time.Millisecond)
}

// arguments are what C is given, and the first error in it. The copies of Go's strings are wiped and freed together,
// because the key is among them.
type arguments struct {
	copies []*C.char
	err    error
}

func (given *arguments) refuse(message string) {
	if given.err == nil {
		given.err = invalid(message)
	}
}

// text copies text; the empty string becomes NULL, the library's default.
func (given *arguments) text(name, text string) *C.char {
	if text == "" {
		return nil
	}
	if strings.IndexByte(text, 0) >= 0 {
		given.refuse(name + " contains a NUL character; remove it.")
		return nil
	}
	return given.copy(text)
}

func (given *arguments) copy(text string) *C.char {
	copied := C.CString(text)
	given.copies = append(given.copies, copied)
	return copied
}

func (given *arguments) proxy(options Options) *C.char {
	if !options.NoProxy {
		return given.text("Options.ProxyURL", options.ProxyURL)
	}
	if options.ProxyURL != "" {
		given.refuse("Options.ProxyURL and Options.NoProxy exclude each other; set only one.")
	}
	return given.copy("")
}

func (given *arguments) milliseconds(name string, d time.Duration) C.uint32_t {
	if d < 0 {
		given.refuse(name + " is negative; set it above 0, or to 0 for the default.")
	}
	return milliseconds(d)
}

func (given *arguments) count(name string, count int) C.int32_t {
	if int(C.int32_t(count)) != count {
		given.refuse(name + " is out of range; set it to a count, 0 for the default or -1 for none.")
	}
	return C.int32_t(count)
}

func (given *arguments) free() {
	for _, copied := range given.copies {
		C.memset(unsafe.Pointer(copied), 0, C.strlen(copied))
		C.free(unsafe.Pointer(copied))
	}
}

func roots(system bool) C.int32_t {
	if system {
		return C.FISH_TLS_ROOTS_SYSTEM
	}
	return C.FISH_TLS_ROOTS_BUNDLED
}
