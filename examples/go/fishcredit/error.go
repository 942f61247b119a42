package fishcredit

// Why a call failed.

// #include <fish_api_credit.h>
import "C"

import (
	"time"
	"unsafe"
)

// String is the status's name in the header, such as "FISH_TIMED_OUT".
func (status Status) String() string { return C.GoString(C.fish_status_name(C.int32_t(status))) }

// Error is why a call failed. Get at it with errors.As.
type Error struct {
	Status      Status
	HTTPStatus  int           // 0: no answer arrived
	Attempts    int           // tries, retries and failed connections included; 0: refused before anything was sent, or ended by the context
	RetryAfter  time.Duration // the server's wish; 0: it did not say
	Retryable   bool          // the same call may succeed later
	Message     string        // one sentence that says what to do; no secrets
	APIMessage  string        // the server's own words
	APIReason   string        // its machine-readable reason
	RequestID   string        // its name for this request, for its support
	Body        string        // the start of the error answer's body
	FieldErrors []FieldError  // what a 422 found wrong

	cause error
}

// FieldError is one thing that the server found wrong with the request.
type FieldError struct {
	// Generated from src/ffi: the fields of fish_field_error.

	// The field, such as "query.check_free_credit": the parts of "loc" joined by dots.
	Location string
	// "in": "path", "query", "header", "cookie" or "body". "" if not sent.
	Source string
	// The kind of error, such as "bool_parsing".
	Type string
	// The server's description.
	Message string
	// "ctx" as text. "" if not sent.
	Context string

	// End of the generated part.
}

func (e *Error) Error() string { return "fishcredit: " + e.Message + " (" + e.Status.String() + ")" }

// Unwrap is the context's error if the context ended the call, ErrClosed if Close did, else nil.
func (e *Error) Unwrap() error { return e.cause }

// Timeout and Temporary are what net.Error asks.
func (e *Error) Timeout() bool { return e.Status == TimedOut }

// Temporary is Retryable.
func (e *Error) Temporary() bool { return e.Retryable }

func invalid(message string) error { return &Error{Status: InvalidArgument, Message: message} }

// takeError copies what the library filled in, and frees it.
func takeError(c *C.fish_error, cause error) error {
	defer C.fish_error_free(c)
	e := &Error{
		Status:     Status(c.status),
		HTTPStatus: int(c.http_status),
		Attempts:   int(c.attempts),
		RetryAfter: time.Duration(c.retry_after_ms) * time.Millisecond,
		Retryable:  bool(c.retryable),
		Message:    inGo(C.GoString(c.message)),
		APIMessage: C.GoString(c.api_message),
		APIReason:  C.GoString(c.api_reason),
		RequestID:  C.GoString(c.request_id),
		Body:       C.GoString(c.body),
		cause:      cause,
	}
	if c.field_error_count > 0 {
		for _, row := range unsafe.Slice(c.field_errors, int(c.field_error_count)) {
			e.FieldErrors = append(e.FieldErrors, FieldError{
				// Generated from src/ffi: how each is copied.
				Location: C.GoString(row.location),
				Source:   C.GoString(row.source),
				Type:     C.GoString(row._type),
				Message:  C.GoString(row.message),
				Context:  C.GoString(row.context),
				// End of the generated part.
			})
		}
	}
	return e
}
