//go:build !fish_prefix

package fishcredit

// Where the library is: pkg-config says so. PKG_CONFIG_PATH finds one that is not installed system-wide.

// #cgo pkg-config: fish_api_credit
import "C"
