package fishcredit

// What a message calls a thing.

import "strings"

// inGo gives the library's sentence the names of this package: "options.ca_file" is Options.CAFile, NULL is "".
// A longer name stands before one that it ends with; a name in quotes is one of the server's document.
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
	"options.timeout_ms", "Options.Timeout", "query.timeout_ms", "timeout", "timeout_ms", "timeout",
	"query.user_id", "Query.UserID", "user_id", "Query.UserID",
	"query.team_id", "Query.TeamID", "team_id", "Query.TeamID",
	"retry_after_ms", "RetryAfter", "field_errors", "FieldErrors", "api_message", "APIMessage",
	"FISH_TLS_ROOTS_SYSTEM", "true", "FISH_TLS_ROOTS_BUNDLED", "false",
	"NULL", `""`,
).Replace
