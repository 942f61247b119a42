package fishcredit

// The names in messages.

import "strings"

// inGo replaces the C names in the library's message by this package's: "options.ca_file" becomes Options.CAFile.
// Longer names come before their suffixes. A name in quotes is a field of the server's document.
var inGo = strings.NewReplacer(
	`"user_id"`, `"user_id"`,
	// Generated from src/ffi: the fields of fish_client_options.
	"options.api_key", "Options.APIKey", "api_key", "Options.APIKey",
	"options.base_url", "Options.BaseURL", "base_url", "Options.BaseURL",
	"options.proxy_url", "Options.ProxyURL", "proxy_url", "Options.ProxyURL",
	"options.ca_file", "Options.CAFile", "ca_file", "Options.CAFile",
	"options.user_agent", "Options.UserAgent", "user_agent", "Options.UserAgent",
	"options.connect_timeout_ms", "Options.ConnectTimeout", "connect_timeout_ms", "Options.ConnectTimeout",
	"options.max_retries", "Options.MaxRetries", "max_retries", "Options.MaxRetries",
	"options.tls_roots", "Options.SystemRoots", "tls_roots", "Options.SystemRoots",
	// End of the generated part.
	"timeout_ms", "its timeout",
	"query.user_id", "Query.UserID", "user_id", "Query.UserID",
	"query.team_id", "Query.TeamID", "team_id", "Query.TeamID",
	"field_errors", "FieldErrors", "api_message", "APIMessage", "request_id", "RequestID",
	"FISH_TLS_ROOTS_SYSTEM", "true", "FISH_TLS_ROOTS_BUNDLED", "false",
).Replace
