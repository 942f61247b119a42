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

// ErrClosed is what a call on a closed client returns.
var ErrClosed = errors.New("fishcredit: the client is closed")

const (
	defaultTimeout = 15 * time.Second
	longestTimeout = math.MaxUint32 * time.Millisecond
)

// Options are a client's options. The zero value is all defaults. Printing them or converting them to JSON does not
// reveal the key or a proxy's password; see secret.go.
type Options struct {
	APIKey         string        // "": the environment variable FISH_API_KEY
	BaseURL        string        // "": https://api.fish.audio; plain http only to a loopback host
	ProxyURL       string        // http:// or socks5://; "": HTTPS_PROXY, ALL_PROXY and NO_PROXY
	NoProxy        bool          // ignore the environment and use no proxy
	CAFile         string        // a PEM file with the certificates to trust, and no others; "": see SystemRoots
	SystemRoots    bool          // trust the operating system's certificate authorities instead of Mozilla's
	UserAgent      string        // prepended to the library's own, such as "studio/2.1"
	Timeout        time.Duration // for a whole call, including retries; 0: 15 s. A context can only shorten it
	ConnectTimeout time.Duration // for one connection attempt; 0: 5 s
	MaxRetries     int           // 0: 2; -1: none
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
	var text texts
	defer text.free()
	c := C.fish_client_options{
		api_key:     text.add("Options.APIKey", options.APIKey),
		base_url:    text.add("Options.BaseURL", options.BaseURL),
		proxy_url:   text.add("Options.ProxyURL", options.ProxyURL),
		ca_file:     text.add("Options.CAFile", options.CAFile),
		user_agent:  text.add("Options.UserAgent", options.UserAgent),
		max_retries: C.int32_t(options.MaxRetries),
	}
	if text.err != nil {
		return nil, text.err
	}
	if options.NoProxy {
		if options.ProxyURL != "" {
			return nil, invalid("Options.ProxyURL and Options.NoProxy exclude each other; set only one.")
		}
		c.proxy_url = text.empty()
	}
	if options.SystemRoots {
		c.tls_roots = C.FISH_TLS_ROOTS_SYSTEM
	}
	if int(c.max_retries) != options.MaxRetries {
		return nil, invalid("Options.MaxRetries is out of range; set it to a count, 0 for the default or -1 for none.")
	}
	if options.Timeout < 0 || options.ConnectTimeout < 0 {
		return nil, invalid("Options.Timeout or Options.ConnectTimeout is negative; set it above 0, or to 0 for the default.")
	}
	timeout := options.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	c.timeout_ms = milliseconds(timeout)
	c.connect_timeout_ms = milliseconds(options.ConnectTimeout)

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
	var text texts
	defer text.free()
	c := C.fish_api_credit_query{
		user_id:           text.add("Query.UserID", query.UserID),
		team_id:           text.add("Query.TeamID", query.TeamID),
		check_free_credit: C.bool(query.CheckFreeCredit),
		timeout_ms:        milliseconds(timeout),
	}
	if text.err != nil {
		return text.err
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

// texts are C copies of Go strings. They are wiped and freed together, because the key is among them.
type texts struct {
	copies []*C.char
	err    error
}

// add copies text; the empty string becomes NULL, the library's default.
func (t *texts) add(name, text string) *C.char {
	if text == "" {
		return nil
	}
	if strings.IndexByte(text, 0) >= 0 {
		t.err = invalid(name + " contains a NUL character; remove it.")
		return nil
	}
	copied := C.CString(text)
	t.copies = append(t.copies, copied)
	return copied
}

func (t *texts) empty() *C.char {
	copied := C.CString("")
	t.copies = append(t.copies, copied)
	return copied
}

func (t *texts) free() {
	for _, copied := range t.copies {
		C.memset(unsafe.Pointer(copied), 0, C.strlen(copied))
		C.free(unsafe.Pointer(copied))
	}
}
