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
	HTTPStatus  int           // 0: no response arrived
	Attempts    int           // including retries and failed connections; 0: nothing was sent, or the context ended the call
	RetryAfter  time.Duration // how long the server asks to wait; 0: not sent
	Retryable   bool          // whether the same call may succeed later
	Message     string        // what failed and what to do, in one sentence without secrets
	APIMessage  string        // the server's own message
	APIReason   string        // its machine-readable reason
	RequestID   string        // its id for this request, to quote to its support
	Body        string        // the start of the error body
	FieldErrors []FieldError  // the problems that a 422 lists

	cause error
}

// FieldError is one problem that the server found in the request.
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

// Timeout implements net.Error.
func (e *Error) Timeout() bool { return e.Status == TimedOut }

// Temporary implements net.Error; it is Retryable.
func (e *Error) Temporary() bool { return e.Retryable }

func invalid(message string) error { return &Error{Status: InvalidArgument, Message: message} }

// takeError copies the library's error and frees it.
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
