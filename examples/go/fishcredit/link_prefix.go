//go:build fish_prefix

package fishcredit

// Where the library is, without pkg-config (`go build -tags fish_prefix`): CGO_CFLAGS=-I<prefix>/include and
// CGO_LDFLAGS="-L<prefix>/lib -Wl,-rpath,<prefix>/lib" say so.

// #cgo LDFLAGS: -lfish_api_credit
import "C"
