package fishcredit

// The API credit.

// #include <fish_api_credit.h>
import "C"

import (
	"math/big"
	"time"
	"unsafe"
)

// Credit is an account's API credit. The decimal texts are exact; the numbers come from them.
type Credit struct {
	// Generated from src/ffi: the fields of fish_api_credit.

	// The wallet's id ("_id").
	ID string
	// The account's id.
	UserID string
	// The balance as exact decimal text, as sent, presumably in US dollars. May be negative.
	Text string
	// The total ever paid in, as decimal text. "" if the server did not send it.
	CumulativeTopUpText string
	// When the wallet was created, as sent (RFC 3339).
	CreatedAtText string
	// When the wallet last changed, as sent (RFC 3339).
	UpdatedAtText string
	// The server's id for this request (x-fish-trace-id, else cf-ray), to quote to its support. "" if the server
	// did not send one, or after ParseCredit.
	RequestID string
	// The balance x 1,000,000, rounded down (never overstated), saturating.
	Micros int64
	// CumulativeTopUpText x 1,000,000, likewise. 0 if the server did not send it.
	CumulativeTopUpMicros int64
	// When the wallet was created, UTC. The zero time if CreatedAtText is not an RFC 3339 time.
	CreatedAt time.Time
	// When the wallet last changed, UTC. The zero time if UpdatedAtText is not an RFC 3339 time.
	UpdatedAt time.Time
	// False if Micros was rounded or saturated. The text is always exact.
	MicrosExact bool
	// Whether the account has a phone number. nil: absent or null.
	HasPhone *bool
	// Whether free credit is left. nil: absent or null, as it is without Query.CheckFreeCredit.
	HasFreeCredit *bool

	// End of the generated part.
}

// Rat returns the balance as an exact number.
func (credit Credit) Rat() *big.Rat { return rat(credit.Text) }

// CumulativeTopUp returns the total ever paid in as an exact number; nil if not sent.
func (credit Credit) CumulativeTopUp() *big.Rat { return rat(credit.CumulativeTopUpText) }

// String returns the balance as decimal text.
func (credit Credit) String() string { return credit.Text }

// FormatMicros returns an amount of micros as decimal text for a person, rounded down, so that it never overstates a
// balance: of 12345678 with 2 decimals "12.34", of -1 "-0.01". Decimals are 0 to 6; others become the nearest of these.
func FormatMicros(micros int64, decimals int) string {
	if decimals < 0 {
		decimals = 0
	} else if decimals > 6 {
		decimals = 6
	}
	var text [32]C.char // always enough
	length := C.fish_format_micros(C.int64_t(micros), C.uint32_t(decimals), &text[0], C.size_t(len(text)))
	return C.GoStringN(&text[0], C.int(length))
}

// ParseCredit decodes a document saved from APICreditJSON. It does not use the network.
func ParseCredit(json []byte) (Credit, error) {
	if len(json) == 0 {
		json = []byte(" ") // an empty slice has no address; the library reports a blank document
	}
	var out C.fish_api_credit
	var failure C.fish_error
	status := C.fish_api_credit_from_json((*C.char)(unsafe.Pointer(&json[0])), C.size_t(len(json)), &out, &failure)
	if status != C.FISH_OK {
		return Credit{}, takeError(&failure, nil)
	}
	return takeCredit(&out), nil
}

// takeCredit copies the library's credit and frees it.
func takeCredit(c *C.fish_api_credit) Credit {
	defer C.fish_api_credit_free(c)
	return copyCredit(c)
}

func copyCredit(c *C.fish_api_credit) Credit {
	return Credit{
		// Generated from src/ffi: how each is copied.
		ID:                    C.GoString(c.id),
		UserID:                C.GoString(c.user_id),
		Text:                  C.GoString(c.credit),
		CumulativeTopUpText:   C.GoString(c.cumulative_top_up),
		CreatedAtText:         C.GoString(c.created_at),
		UpdatedAtText:         C.GoString(c.updated_at),
		RequestID:             C.GoString(c.request_id),
		Micros:                int64(c.credit_micros),
		CumulativeTopUpMicros: int64(c.cumulative_top_up_micros),
		CreatedAt:             instant(c.created_at_unix_us),
		UpdatedAt:             instant(c.updated_at_unix_us),
		MicrosExact:           bool(c.credit_micros_exact),
		HasPhone:              flag(c.has_phone_sha256),
		HasFreeCredit:         flag(c.has_free_credit),
		// End of the generated part.
	}
}

func rat(text string) *big.Rat {
	if number, ok := new(big.Rat).SetString(text); ok {
		return number
	}
	return nil
}

func instant(micros C.int64_t) time.Time {
	if micros == C.FISH_TIME_UNKNOWN {
		return time.Time{}
	}
	return time.UnixMicro(int64(micros)).UTC()
}

func flag(tristate C.fish_tristate) *bool {
	if tristate == C.FISH_UNKNOWN {
		return nil
	}
	yes := tristate == C.FISH_TRUE
	return &yes
}
