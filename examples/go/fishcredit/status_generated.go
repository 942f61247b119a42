// Code generated from the library's source by `FISH_WRITE=1 cargo test --test generated`. DO NOT EDIT.

package fishcredit

// #include <fish_api_credit.h>
import "C"

// Status is how a call ended. New ones may come.
type Status int32

const (
	// Success.
	OK Status = C.FISH_OK
	// The caller: an argument or option was refused, and nothing was sent. The message names it.
	InvalidArgument Status = C.FISH_INVALID_ARGUMENT
	// The caller: no Options.APIKey, and no FISH_API_KEY in the environment.
	MissingAPIKey Status = C.FISH_MISSING_API_KEY
	// The caller: the context ended, or the client was closed.
	Cancelled Status = C.FISH_CANCELLED
	// The caller: asked before there was a result. Not a failure.
	Pending Status = C.FISH_PENDING
	// On the way: the host name could not be resolved. Check Options.BaseURL and DNS.
	ResolveFailed Status = C.FISH_RESOLVE_FAILED
	// On the way: no connection could be made to any of the host's addresses. Check the network and firewalls.
	ConnectFailed Status = C.FISH_CONNECT_FAILED
	// On the way: no secure connection could be made. The message says what was wrong with it. In a company's
	// network, set Options.SystemRoots or Options.CAFile.
	TLSFailed Status = C.FISH_TLS_FAILED
	// On the way: the proxy could not be reached, refused, or gave an answer that is not a proxy's. Check
	// Options.ProxyURL or the environment's proxies.
	ProxyFailed Status = C.FISH_PROXY_FAILED
	// On the way: the timeout passed. A call never takes longer. Try later, or allow more time.
	TimedOut Status = C.FISH_TIMED_OUT
	// On the way: the connection ended before a whole answer had arrived. Try later.
	ConnectionLost Status = C.FISH_CONNECTION_LOST
	// The server's answer: 401. The API key is wrong.
	Unauthorized Status = C.FISH_UNAUTHORIZED
	// The server's answer: 402. Top up the account.
	PaymentRequired Status = C.FISH_PAYMENT_REQUIRED
	// The server's answer: 403. The key may not read this wallet.
	Forbidden Status = C.FISH_FORBIDDEN
	// The server's answer: 404. There is no such user or team, or Options.BaseURL is wrong.
	NotFound Status = C.FISH_NOT_FOUND
	// The server's answer: 400 or 422. See Error.FieldErrors.
	ValidationFailed Status = C.FISH_VALIDATION_FAILED
	// The server's answer: 429. Wait Error.RetryAfter, and ask less often.
	RateLimited Status = C.FISH_RATE_LIMITED
	// The server's answer: 500 to 599. Try later.
	ServerError Status = C.FISH_SERVER_ERROR
	// The server's answer: any other HTTP status. Redirects too: they are never followed. Check Options.BaseURL.
	UnexpectedStatus Status = C.FISH_UNEXPECTED_STATUS
	// The server's answer: not HTTP, or a 200 that is not the documented document. No value of it is used. Check
	// Options.BaseURL.
	BadResponse Status = C.FISH_BAD_RESPONSE
	// The server's answer: a document above 1 MiB, or a head above 64 KiB or 100 header fields. Check
	// Options.BaseURL.
	ResponseTooLarge Status = C.FISH_RESPONSE_TOO_LARGE
	// This library: a bug of ours, caught before it could reach the caller. Please report the message.
	InternalError Status = C.FISH_INTERNAL_ERROR
)

// Level is how much credit there is, told from its amount and a watch's options.
type Level int32

const (
	// Nothing has been read yet.
	LevelUnknown Level = C.FISH_LEVEL_UNKNOWN
	// Enough.
	LevelOK Level = C.FISH_LEVEL_OK
	// Below WatchOptions.LowMicros, or not yet recovered from there.
	LevelLow Level = C.FISH_LEVEL_LOW
	// At or below zero, or not yet recovered from there where there is no LevelLow.
	LevelEmpty Level = C.FISH_LEVEL_EMPTY
)
