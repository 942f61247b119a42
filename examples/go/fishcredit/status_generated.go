// Code generated from the library's source by `FISH_WRITE=1 cargo test --test generated`. DO NOT EDIT.

package fishcredit

// #include <fish_api_credit.h>
import "C"

// Status is how a call ended. New values may be added.
type Status int32

const (
	// Success.
	OK Status = C.FISH_OK
	// Caller: an argument or option is invalid; nothing was sent. The message names it.
	InvalidArgument Status = C.FISH_INVALID_ARGUMENT
	// Caller: no Options.APIKey and no FISH_API_KEY in the environment.
	MissingAPIKey Status = C.FISH_MISSING_API_KEY
	// Caller: the context ended or the client was closed.
	Cancelled Status = C.FISH_CANCELLED
	// Caller: there is no result yet. Not a failure.
	Pending Status = C.FISH_PENDING
	// Transport: the host name could not be resolved. Check Options.BaseURL and DNS.
	ResolveFailed Status = C.FISH_RESOLVE_FAILED
	// Transport: no connection could be made to any of the host's addresses. Check the network and firewalls.
	ConnectFailed Status = C.FISH_CONNECT_FAILED
	// Transport: the TLS connection failed. The message says why. In a company network, try Options.SystemRoots
	// or Options.CAFile.
	TLSFailed Status = C.FISH_TLS_FAILED
	// Transport: the proxy was unreachable, refused the connection, or sent an invalid response. Check
	// Options.ProxyURL or the proxy variables.
	ProxyFailed Status = C.FISH_PROXY_FAILED
	// Transport: the timeout or connect timeout passed. Try later, or allow more time.
	TimedOut Status = C.FISH_TIMED_OUT
	// Transport: the connection ended before the whole response had arrived. Try later.
	ConnectionLost Status = C.FISH_CONNECTION_LOST
	// Response: 401. The API key is wrong.
	Unauthorized Status = C.FISH_UNAUTHORIZED
	// Response: 402. The account needs a top-up.
	PaymentRequired Status = C.FISH_PAYMENT_REQUIRED
	// Response: 403. The key may not read this wallet.
	Forbidden Status = C.FISH_FORBIDDEN
	// Response: 404. There is no such user or team, or Options.BaseURL is wrong.
	NotFound Status = C.FISH_NOT_FOUND
	// Response: 400 or 422. See Error.FieldErrors.
	ValidationFailed Status = C.FISH_VALIDATION_FAILED
	// Response: 429. Wait for Error.RetryAfter, and ask less often.
	RateLimited Status = C.FISH_RATE_LIMITED
	// Response: 500 to 599. Try later.
	ServerError Status = C.FISH_SERVER_ERROR
	// Response: any other HTTP status, including redirects, which are never followed. Check Options.BaseURL.
	UnexpectedStatus Status = C.FISH_UNEXPECTED_STATUS
	// Response: not HTTP, or a 200 whose body is not the documented JSON. None of it is used. Check
	// Options.BaseURL.
	BadResponse Status = C.FISH_BAD_RESPONSE
	// Response: a body above 1 MiB, or a head above 64 KiB or 100 header fields. Check Options.BaseURL.
	ResponseTooLarge Status = C.FISH_RESPONSE_TOO_LARGE
	// Library: a bug in this library, caught before it reached the caller. Please report the message.
	InternalError Status = C.FISH_INTERNAL_ERROR
)

// Level is how much credit is left, by its amount and a watch's options.
type Level int32

const (
	// Nothing has been read yet.
	LevelUnknown Level = C.FISH_LEVEL_UNKNOWN
	// Enough.
	LevelOK Level = C.FISH_LEVEL_OK
	// Below WatchOptions.LowMicros, or still below WatchOptions.RecoveredMicros after a low or empty credit.
	LevelLow Level = C.FISH_LEVEL_LOW
	// At or below zero; without WatchOptions.LowMicros also while still below WatchOptions.RecoveredMicros.
	LevelEmpty Level = C.FISH_LEVEL_EMPTY
)
