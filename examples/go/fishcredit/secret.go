package fishcredit

// What is printed of a client's settings: all but the secrets.
//
// fmt asks these methods wherever it may call them. It may not for an unexported field, so a struct of yours that keeps
// Options in one is printed with the key; nor does it for %p and %w, which go vet refuses.

import (
	"encoding/json"
	"fmt"
	"strings"
)

const redacted = "[redacted]"

// redactedOptions are Options that can be printed: their secrets are gone, and so are Options' methods.
type redactedOptions Options

func (options Options) redacted() redactedOptions {
	if options.APIKey != "" {
		options.APIKey = redacted
	}
	if at := strings.LastIndexByte(options.ProxyURL, '@'); at >= 0 {
		scheme := strings.Index(options.ProxyURL, "://") + len("://")
		if scheme < len("://") || scheme > at {
			scheme = 0
		}
		options.ProxyURL = options.ProxyURL[:scheme] + redacted + options.ProxyURL[at:]
	}
	return redactedOptions(options)
}

// String is the settings without the secrets.
func (options Options) String() string { return fmt.Sprintf("%+v", options.redacted()) }

// GoString is what %#v prints.
func (options Options) GoString() string { return fmt.Sprintf("%#v", options.redacted()) }

// Format is asked by every verb, those too that would print the fields one by one.
func (options Options) Format(state fmt.State, verb rune) {
	text := options.String()
	if state.Flag('#') {
		text = options.GoString()
	}
	fmt.Fprint(state, text)
}

// MarshalJSON has the secrets replaced; json.Unmarshal reads them.
func (options Options) MarshalJSON() ([]byte, error) { return json.Marshal(options.redacted()) }
