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
	ID     string
	UserID string

	Text        string // the balance, as sent, presumably in US dollars. May be negative
	Micros      int64  // the balance x 1,000,000, rounded down, saturating
	MicrosExact bool   // false if Micros was rounded or saturated; Text is always exact

	CumulativeTopUpText   string // the total ever paid in; "" if not sent
	CumulativeTopUpMicros int64  // 0 if not sent

	CreatedAt     time.Time // UTC; the zero time if CreatedAtText is not an RFC 3339 time
	UpdatedAt     time.Time
	CreatedAtText string // as sent
	UpdatedAtText string

	HasPhone      *bool // nil: not sent
	HasFreeCredit *bool // nil: not sent, as without Query.CheckFreeCredit

	RequestID string // the server's id for this request, to quote to its support; "": not sent, or from ParseCredit
}

// Rat returns the balance as an exact number.
func (credit Credit) Rat() *big.Rat { return rat(credit.Text) }

// CumulativeTopUp returns the total ever paid in as an exact number; nil if not sent.
func (credit Credit) CumulativeTopUp() *big.Rat { return rat(credit.CumulativeTopUpText) }

// String returns the balance as decimal text.
func (credit Credit) String() string { return credit.Text }

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
		ID:                    C.GoString(c.id),
		UserID:                C.GoString(c.user_id),
		Text:                  C.GoString(c.credit),
		Micros:                int64(c.credit_micros),
		MicrosExact:           bool(c.credit_micros_exact),
		CumulativeTopUpText:   C.GoString(c.cumulative_top_up),
		CumulativeTopUpMicros: int64(c.cumulative_top_up_micros),
		CreatedAt:             instant(c.created_at_unix_us),
		UpdatedAt:             instant(c.updated_at_unix_us),
		CreatedAtText:         C.GoString(c.created_at),
		UpdatedAtText:         C.GoString(c.updated_at),
		HasPhone:              flag(c.has_phone_sha256),
		HasFreeCredit:         flag(c.has_free_credit),
		RequestID:             C.GoString(c.request_id),
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
