package fishcredit

// Printing a client's options without the secrets.
//
// fmt calls these methods where it can. It cannot for an unexported field, so a struct that keeps Options in one is
// printed with the key, and it does not for %p and %w, which go vet rejects.

import (
	"encoding/json"
	"fmt"
	"strings"
)

const redacted = "[redacted]"

// redactedOptions are Options without their secrets, and without Options' methods.
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

// String returns the options without the secrets.
func (options Options) String() string { return fmt.Sprintf("%+v", options.redacted()) }

// GoString returns the options without the secrets, for %#v.
func (options Options) GoString() string { return fmt.Sprintf("%#v", options.redacted()) }

// Format handles every verb, including those that would print the fields one by one.
func (options Options) Format(state fmt.State, verb rune) {
	text := options.String()
	if state.Flag('#') {
		text = options.GoString()
	}
	fmt.Fprint(state, text)
}

// MarshalText returns the options without the secrets. encoding/xml and packages for YAML and TOML ask for it, and would
// write the fields one by one without it.
func (options Options) MarshalText() ([]byte, error) { return []byte(options.String()), nil }

// MarshalJSON replaces the secrets; json.Unmarshal does read them.
func (options Options) MarshalJSON() ([]byte, error) { return json.Marshal(options.redacted()) }
