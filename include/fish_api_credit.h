/*
 * fish_api_credit.h - read a Fish Audio account's API credit.
 *
 * The whole interface follows three rules:
 *
 *  1. Structs you pass in start zeroed. Zero or NULL in a field means its default. `reserved` must be zero.
 *     New fields take space from `reserved`, so a struct never changes size.
 *  2. Structs you get back are filled by the library and own their strings. Every call overwrites its
 *     out-parameters first and never frees what was in them, so they need no initialisation. Release each with
 *     its own *_free, which also zeroes it: calling it twice, or with NULL, is harmless.
 *  3. Every function that can fail returns a fish_status, and fills a fish_error if you gave it one. A
 *     `fish_error *` may always be NULL. After success the error is zeroed, so freeing it is always safe.
 *
 * All text is UTF-8. No function prints, raises a signal, changes a global setting or throws an exception.
 * "Any thread" means that the caller needs no lock around the call.
 *
 * Generated from src/ffi with cbindgen: do not edit.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef FISH_API_CREDIT_H
#define FISH_API_CREDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Defined below. */
typedef struct fish_error fish_error;
typedef struct fish_cancel_token fish_cancel_token;

/* ---- Version ------------------------------------------------------------- */

/** The version of this header; fish_version() returns that of the loaded library. */
#define FISH_VERSION "0.1.0"
/** The major version of this header: the 0 of 0.1.0. */
#define FISH_VERSION_MAJOR 0
/** The minor version of this header: the 1 of 0.1.0. */
#define FISH_VERSION_MINOR 1
/** The patch version of this header: the last 0 of 0.1.0. */
#define FISH_VERSION_PATCH 0
/** The ABI version of this header. It increases when programs built for an older one would break. */
#define FISH_ABI_VERSION 1

/**
 * Returns the version of the loaded library, such as "0.1.0". Static: never NULL, never freed.
 *
 * Any thread. Since 0.1.0.
 */
const char *fish_version(void);

/**
 * Returns the ABI version of the loaded library. A program that loads the library at run time should reject it
 * unless this equals the FISH_ABI_VERSION that the program was built with.
 *
 * Any thread. Since 0.1.0.
 */
uint32_t fish_abi_version(void);

/* ---- Status -------------------------------------------------------------- */

/** How a call ended. The values are stable; functions take and return them as a fish_status. */
typedef enum fish_status_code {
  /** Success. */
  FISH_OK = 0,
  /** Caller: an argument or option is invalid; nothing was sent. The message names it. */
  FISH_INVALID_ARGUMENT = 1,
  /** Caller: no api_key option and no FISH_API_KEY in the environment. */
  FISH_MISSING_API_KEY = 2,
  /** Caller: the query's cancel token or the client was cancelled. */
  FISH_CANCELLED = 3,
  /** Caller: there is no result yet. Not a failure. */
  FISH_PENDING = 4,
  /** Transport: the host name could not be resolved. Check base_url and DNS. */
  FISH_RESOLVE_FAILED = 20,
  /** Transport: no connection could be made to any of the host's addresses. Check the network and firewalls. */
  FISH_CONNECT_FAILED = 21,
  /**
   * Transport: the TLS connection failed. The message says why. In a company network, try
   * FISH_TLS_ROOTS_SYSTEM or ca_file.
   */
  FISH_TLS_FAILED = 22,
  /**
   * Transport: the proxy was unreachable, refused the connection, or sent an invalid response. Check
   * proxy_url or the proxy variables.
   */
  FISH_PROXY_FAILED = 23,
  /** Transport: timeout_ms or connect_timeout_ms passed. Try later, or allow more time. */
  FISH_TIMED_OUT = 24,
  /** Transport: the connection ended before the whole response had arrived. Try later. */
  FISH_CONNECTION_LOST = 25,
  /** Response: 401. The API key is wrong. */
  FISH_UNAUTHORIZED = 40,
  /** Response: 402. The account needs a top-up. */
  FISH_PAYMENT_REQUIRED = 41,
  /** Response: 403. The key may not read this wallet. */
  FISH_FORBIDDEN = 42,
  /** Response: 404. There is no such user or team, or base_url is wrong. */
  FISH_NOT_FOUND = 43,
  /** Response: 400 or 422. See fish_error.field_errors. */
  FISH_VALIDATION_FAILED = 44,
  /** Response: 429. Wait for fish_error.retry_after_ms, and ask less often. */
  FISH_RATE_LIMITED = 45,
  /** Response: 500 to 599. Try later. */
  FISH_SERVER_ERROR = 46,
  /** Response: any other HTTP status, including redirects, which are never followed. Check base_url. */
  FISH_UNEXPECTED_STATUS = 47,
  /** Response: not HTTP, or a 200 whose body is not the documented JSON. None of it is used. Check base_url. */
  FISH_BAD_RESPONSE = 48,
  /** Response: a body above 1 MiB, or a head above 64 KiB or 100 header fields. Check base_url. */
  FISH_RESPONSE_TOO_LARGE = 49,
  /** Library: a bug in this library, caught before it reached the caller. Please report the message. */
  FISH_INTERNAL_ERROR = 90,
} fish_status_code;

/** Yes, no or unknown. As wide as an int32_t. */
typedef enum fish_tristate {
  /** The response leaves it out, or it is null. */
  FISH_UNKNOWN = -1,
  /** No. */
  FISH_FALSE = 0,
  /** Yes. */
  FISH_TRUE = 1,
} fish_tristate;

/** How a call ended: a fish_status_code. New values may be added; treat an unknown one as a failure. */
typedef int32_t fish_status;

/**
 * Returns the name of a status as in this header, such as "FISH_TIMED_OUT", or "FISH_UNKNOWN_STATUS" for any
 * other number. Static: never NULL, never freed.
 *
 * Any thread. Since 0.1.0.
 */
const char *fish_status_name(int32_t status);

/* ---- Client -------------------------------------------------------------- */

/** Trust Mozilla's certificate authorities, as of the library's build. The default. */
#define FISH_TLS_ROOTS_BUNDLED 0
/** Trust the operating system's certificate authorities, including those that a company has added. */
#define FISH_TLS_ROOTS_SYSTEM 1

/**
 * A client holds connections, TLS state and options. Create one and keep it: a call on a kept connection is
 * many times cheaper than the first one. Any number of threads may use one client at once. After a fork, the
 * child may use it too; it opens its own connections.
 */
typedef struct fish_client fish_client;

/**
 * The options of a client. Zero the whole struct, then set the fields that should differ from their default:
 * `fish_client_options options = {0};`. The strings are copied.
 */
typedef struct fish_client_options {
  /**
   * The secret API key. NULL: the environment variable FISH_API_KEY. Sent only to base_url's host; wiped
   * from memory when the client is freed.
   */
  const char *api_key;
  /**
   * The API's address. NULL: "https://api.fish.audio". It may have a port and a path, but no user, query or
   * fragment. Plain http:// is allowed for loopback hosts only.
   */
  const char *base_url;
  /**
   * "http://[user:password@]host:port" or "socks5://...". "": no proxy. NULL: the environment variables
   * HTTPS_PROXY, ALL_PROXY and NO_PROXY, which are ignored if base_url is a loopback host. For such a host,
   * only a proxy on a loopback host is allowed.
   */
  const char *proxy_url;
  /** The path of a PEM file with the certificates to trust, and no others. NULL: see tls_roots. */
  const char *ca_file;
  /** Prepended to the library's own User-Agent, such as "studio/2.1". NULL: "fish-api-credit/0.1.0" alone. */
  const char *user_agent;
  /** Milliseconds for a whole call: resolving, connecting, retries and the waits between them. 0: 15000. */
  uint32_t timeout_ms;
  /** Milliseconds for one connection attempt, TLS included. 0: 5000. */
  uint32_t connect_timeout_ms;
  /** How many times a failed request is retried. 0: 2 times. -1: never. */
  int32_t max_retries;
  /** FISH_TLS_ROOTS_BUNDLED or FISH_TLS_ROOTS_SYSTEM. */
  int32_t tls_roots;
  /** Must be zero. */
  uint64_t reserved[8];
} fish_client_options;

/**
 * Creates a client. Sends nothing: the first call reports a wrong key.
 *
 * @param options  NULL: all defaults.
 * @param client   Receives the client; NULL on failure. Free it with fish_client_free. Not NULL.
 * @param error    Says why it failed. May be NULL.
 * @return FISH_OK, FISH_INVALID_ARGUMENT, FISH_MISSING_API_KEY, or FISH_TLS_FAILED if the system's
 *         certificates could not be read, or if it refuses random numbers.
 *
 * Any thread. Since 0.1.0.
 */
fish_status fish_client_new(const fish_client_options *options,
                            fish_client **client,
                            fish_error *error);

/**
 * Cancels every call with this client, current and future: each returns FISH_CANCELLED within 100 ms. NULL and
 * repeated calls are harmless. The client must still be freed. In a forked child, it cancels only the child's
 * calls. Useful in a host's exit hook.
 *
 * Any thread, including a real-time audio thread: takes no lock, allocates nothing. Since 0.1.0.
 */
void fish_client_cancel(fish_client *client);

/**
 * Cancels every call like fish_client_cancel, and frees the client. Running calls keep their own reference;
 * the last one to return closes the connections and wipes the key. NULL is harmless. No call may start with
 * this pointer afterwards.
 *
 * Any thread; never waits. Since 0.1.0.
 */
void fish_client_free(fish_client *client);

/* ---- Query --------------------------------------------------------------- */

/**
 * Which wallet to read, and how. Zero the whole struct, then set the fields that should differ from their
 * default: `fish_api_credit_query query = {0};`.
 */
typedef struct fish_api_credit_query {
  /** The wallet's owner. NULL: "self", the key's own account. The library percent-encodes it. */
  const char *user_id;
  /**
   * The team whose API credit to read; it is separate from the account's. NULL: the account's own, even if
   * the key is a team's.
   */
  const char *team_id;
  /** Whether to ask for has_free_credit too. Sent only when true. */
  bool check_free_credit;
  /** Milliseconds for this whole call. 0: the client's timeout_ms. */
  uint32_t timeout_ms;
  /**
   * Cancels this call from another thread. NULL: no token. The call keeps its own reference, so the token
   * may be freed while the call runs.
   */
  fish_cancel_token *cancel;
  /** Must be zero. */
  uint64_t reserved[4];
} fish_api_credit_query;

/* ---- API credit ---------------------------------------------------------- */

/** Stands for a time whose text is not an RFC 3339 date-time. */
#define FISH_TIME_UNKNOWN INT64_MIN

/**
 * The API credit of one wallet, which API calls spend: the account's own, or a team's if the query names one.
 * It is not the platform credit of a plan, which the website spends. The library fills this struct and owns
 * its strings; release them with fish_api_credit_free.
 */
typedef struct fish_api_credit {
  /** The wallet's id ("_id"). Never NULL. */
  const char *id;
  /** The account's id. Never NULL. */
  const char *user_id;
  /** The balance as exact decimal text, as sent, presumably in US dollars. May be negative. Never NULL. */
  const char *credit;
  /** The total ever paid in, as decimal text. NULL if the server did not send it. */
  const char *cumulative_top_up;
  /** When the wallet was created, as sent (RFC 3339). Never NULL. */
  const char *created_at;
  /** When the wallet last changed, as sent (RFC 3339). Never NULL. */
  const char *updated_at;
  /**
   * The server's id for this request (x-fish-trace-id, else cf-ray), to quote to its support. NULL if the
   * server did not send one, or after fish_api_credit_from_json.
   */
  const char *request_id;
  /** credit x 1,000,000, rounded down (never overstated), saturating. */
  int64_t credit_micros;
  /** cumulative_top_up x 1,000,000, likewise. 0 if the server did not send it. */
  int64_t cumulative_top_up_micros;
  /** created_at in microseconds since 1970 UTC, or FISH_TIME_UNKNOWN. */
  int64_t created_at_unix_us;
  /** updated_at in microseconds since 1970 UTC, or FISH_TIME_UNKNOWN. */
  int64_t updated_at_unix_us;
  /** False if credit_micros was rounded or saturated. The text is always exact. */
  bool credit_micros_exact;
  /** Whether the account has a phone number. FISH_UNKNOWN: absent or null. */
  fish_tristate has_phone_sha256;
  /** Whether free credit is left. FISH_UNKNOWN: absent or null, as it is without check_free_credit. */
  fish_tristate has_free_credit;
  /** Used by the library. */
  void *owner;
  /** Zero. */
  uint64_t reserved[4];
} fish_api_credit;

/**
 * Reads an account's API credit. Returns within timeout_ms, whatever the network does.
 *
 * @param client  From fish_client_new. Not NULL.
 * @param query   NULL: the key's own account.
 * @param credit  Filled on success, zeroed otherwise; its previous content is overwritten, not freed.
 *                Release it with fish_api_credit_free. Not NULL.
 * @param error   Says why it failed. May be NULL.
 * @return FISH_OK or any other fish_status.
 *
 * Any thread, any number at once. Blocks: do not call it on a UI or audio thread. Since 0.1.0.
 */
fish_status fish_get_api_credit(const fish_client *client,
                                const fish_api_credit_query *query,
                                fish_api_credit *credit,
                                fish_error *error);

/**
 * Releases what a fish_api_credit owns and zeroes it. NULL, a zeroed struct and a second call are harmless.
 *
 * Any thread. Since 0.1.0.
 */
void fish_api_credit_free(fish_api_credit *credit);

/* ---- Formatting amounts -------------------------------------------------- */

/**
 * Writes an amount of micros, such as fish_api_credit.credit_micros, as exact decimal text, rounded down:
 * 12345678 with 2 decimals is "12.34", and -1 is "-0.01". It never overstates a balance. Works like snprintf:
 * it writes at most `size` bytes, including the terminating NUL, and truncates text that does not fit.
 *
 * @param micros    Millionths.
 * @param decimals  Digits after the point, 0 to 6. More than 6 means 6; with 0 there is no point.
 * @param buffer    The caller's memory for the text. 32 bytes are always enough. NULL: nothing is written.
 * @param size      The buffer's size in bytes. 0: nothing is written.
 * @return The length of the whole text without the terminating NUL. If it is not below `size`, the text was
 *         truncated.
 *
 * Any thread; never waits. Since 0.1.0.
 */
size_t fish_format_micros(int64_t micros, uint32_t decimals, char *buffer, size_t size);

/* ---- JSON ---------------------------------------------------------------- */

/**
 * Like fish_get_api_credit, but returns the server's JSON document as text: exactly the bytes sent, including
 * fields unknown to this version. It succeeds exactly when fish_get_api_credit would.
 *
 * @param client  From fish_client_new. Not NULL.
 * @param query   NULL: the key's own account.
 * @param json    Receives the text, NUL-terminated UTF-8; NULL on failure. Release it with fish_string_free.
 *                Not NULL.
 * @param error   Says why it failed. May be NULL.
 * @return FISH_OK or any other fish_status.
 *
 * Any thread, any number at once. Blocks: do not call it on a UI or audio thread. Since 0.1.0.
 */
fish_status fish_get_api_credit_json(const fish_client *client,
                                     const fish_api_credit_query *query,
                                     char **json,
                                     fish_error *error);

/**
 * Frees a string from fish_get_api_credit_json or fish_call_result_json. NULL is harmless; freeing a string
 * twice is not.
 *
 * Any thread. Since 0.1.0.
 */
void fish_string_free(char *string);

/**
 * Decodes a document saved from an earlier fish_get_api_credit_json, by the same rules. Does not use the
 * network.
 *
 * @param json    The document; it need not end in NUL. Not NULL.
 * @param length  Its length in bytes, without a terminating NUL.
 * @param credit  Filled as by fish_get_api_credit. Release it with fish_api_credit_free. Not NULL.
 * @param error   Says why it failed. May be NULL.
 * @return FISH_OK, FISH_INVALID_ARGUMENT, FISH_BAD_RESPONSE, or FISH_RESPONSE_TOO_LARGE above 1 MiB.
 *
 * Any thread. Since 0.1.0.
 */
fish_status fish_api_credit_from_json(const char *json,
                                      size_t length,
                                      fish_api_credit *credit,
                                      fish_error *error);

/* ---- Error --------------------------------------------------------------- */

/** One problem that the server found in the request (a 422 lists them). */
typedef struct fish_field_error {
  /** The field, such as "query.check_free_credit": the parts of "loc" joined by dots. Never NULL. */
  const char *location;
  /** "in": "path", "query", "header", "cookie" or "body". NULL if not sent. */
  const char *source;
  /** The kind of error, such as "bool_parsing". Never NULL. */
  const char *type;
  /** The server's description. Never NULL. */
  const char *message;
  /** "ctx" as text. NULL if not sent. */
  const char *context;
} fish_field_error;

/**
 * Why a call failed. The library fills this struct and owns its strings; release them with fish_error_free.
 * After success it is all zero, so freeing it is always safe.
 */
struct fish_error {
  /** What the function returned. */
  fish_status status;
  /** The HTTP status of the last response whose head arrived. 0: none arrived. */
  int32_t http_status;
  /**
   * How many times the request was tried, including retries and failed connections. 0: nothing was sent.
   * Replacing a kept connection that the server had closed does not count.
   */
  uint32_t attempts;
  /** How long the server asks to wait (Retry-After), in milliseconds. 0: not sent. */
  uint32_t retry_after_ms;
  /** Whether the same call may succeed later. */
  bool retryable;
  /** One sentence that says what failed and what to do. Never NULL on failure; never contains a secret. */
  const char *message;
  /**
   * The server's own message, at most 4 KiB: "message" of an error response's JSON body, else "detail"
   * unless it is a list; or the whole body if it is a JSON string or plain text. NULL if there is none, or
   * if the body is HTML, has a Content-Encoding, is not UTF-8 or contains control characters.
   */
  const char *api_message;
  /**
   * The server's machine-readable reason: "reason" of that JSON body, else the x-fish-error-code header,
   * else "code" of that body. NULL if there is none.
   */
  const char *api_reason;
  /**
   * The server's id for this request, to quote to its support: the x-fish-trace-id header, else cf-ray,
   * else "request_id" of that JSON body. NULL if there is none.
   */
  const char *request_id;
  /**
   * The start, at most 4 KiB, of the body of an error response, or of a 200 that could not be used. Bytes
   * that are not UTF-8, and control characters other than tab, CR and LF, are replaced by U+FFFD. NULL if
   * the body is empty or has a Content-Encoding.
   */
  const char *body;
  /** The problems that a 422 lists. NULL if there are none. */
  const fish_field_error *field_errors;
  /** The number of field_errors. */
  size_t field_error_count;
  /** Used by the library. */
  void *owner;
  /** Zero. */
  uint64_t reserved[4];
};

/**
 * Releases what a fish_error owns and zeroes it. NULL, a zeroed struct and a second call are harmless.
 *
 * Any thread. Since 0.1.0.
 */
void fish_error_free(fish_error *error);

/* ---- Cancel token -------------------------------------------------------- */

/**
 * Cancels calls from any thread, any number of them at once. A cancelled token stays cancelled: create a new
 * one for the next call.
 */
struct fish_cancel_token;

/**
 * Creates a token. Returns NULL only if the library has a bug.
 *
 * Any thread; never waits. Free it with fish_cancel_token_free. Since 0.1.0.
 */
fish_cancel_token *fish_cancel_token_new(void);

/**
 * Cancels every call with this token, current and future: each returns FISH_CANCELLED within 100 ms. NULL and
 * repeated calls are harmless. Once a call has returned FISH_CANCELLED, its thread may free the token, even
 * before this function returns. In a forked child, it cancels only the child's calls.
 *
 * Any thread, including a real-time audio thread: takes no lock, allocates nothing. Since 0.1.0.
 */
void fish_cancel_token_cancel(fish_cancel_token *token);

/**
 * Frees a token without cancelling it. NULL is harmless. Calls keep their own reference, so the token may be
 * freed while they run.
 *
 * Any thread; never waits. Since 0.1.0.
 */
void fish_cancel_token_free(fish_cancel_token *token);

/* ---- Background call ----------------------------------------------------- */

/**
 * A call that runs in the background, on a thread of the library: for event loops, for runtimes with their own
 * threads, and for UI threads. Wait for it with poll, epoll, select, kqueue or WSAPoll on its descriptor, or
 * with fish_call_wait, or check fish_call_is_done from time to time.
 *
 * A forked child has no thread to continue its parent's call: there the call is done, and its result is
 * FISH_CANCELLED unless it had ended before the fork.
 */
typedef struct fish_call fish_call;

/**
 * Starts a call in the background. Its thread has a stack of 256 KiB, blocks all signals except those that its
 * own faults raise, and ends by itself.
 *
 * @param client  From fish_client_new. The call keeps its own reference: the client may be freed, which
 *                cancels the call. Not NULL.
 * @param query   NULL: the key's own account. Its strings are copied.
 * @param call    Receives the call; NULL on failure. Free it with fish_call_free. Not NULL.
 * @param error   Says why it failed. May be NULL.
 * @return FISH_OK; FISH_INVALID_ARGUMENT or FISH_CANCELLED where fish_get_api_credit would return it before
 *         sending anything; FISH_CONNECT_FAILED if no thread could be started.
 *
 * Any thread, any number at once; never waits. Since 0.1.0.
 */
fish_status fish_call_start(const fish_client *client,
                            const fish_api_credit_query *query,
                            fish_call **call,
                            fish_error *error);

/**
 * Returns whether the call is done, so that its result is available. True for NULL.
 *
 * Any thread; never waits. Since 0.1.0.
 */
bool fish_call_is_done(const fish_call *call);

/**
 * Waits until the call is done.
 *
 * @param call        From fish_call_start. Not NULL.
 * @param timeout_ms  Milliseconds to wait at most. 0: does not wait.
 * @return FISH_OK: it is done, whatever its result. FISH_PENDING: it is still running. FISH_INVALID_ARGUMENT:
 *         call is NULL.
 *
 * Any thread, any number at once. Blocks. Since 0.1.0.
 */
fish_status fish_call_wait(const fish_call *call, uint32_t timeout_ms);

/**
 * Returns a descriptor for an event loop. It becomes readable (POLLIN) when the call is done, and stays
 * readable. A file descriptor; on Windows a SOCKET. Never read or close it: the call owns it, and
 * fish_call_free closes it.
 *
 * @return The descriptor. -1: none was available, call is NULL, or this is a forked child; check
 *         fish_call_is_done instead.
 *
 * Any thread; never waits. Since 0.1.0.
 */
intptr_t fish_call_descriptor(const fish_call *call);

/**
 * Returns the call's result, as fish_get_api_credit would have. It may be called any number of times.
 *
 * @param call    From fish_call_start. Not NULL.
 * @param credit  Filled on success, zeroed otherwise. Release it with fish_api_credit_free. Not NULL.
 * @param error   Says why it failed. May be NULL.
 * @return FISH_OK or any other fish_status; FISH_PENDING while the call runs.
 *
 * Any thread, any number at once; never waits. Since 0.1.0.
 */
fish_status fish_call_result(const fish_call *call, fish_api_credit *credit, fish_error *error);

/**
 * Returns the call's result as JSON, as fish_get_api_credit_json would have. It may be called any number of
 * times.
 *
 * @param call   From fish_call_start. Not NULL.
 * @param json   Receives the text; NULL on failure. Release it with fish_string_free. Not NULL.
 * @param error  Says why it failed. May be NULL.
 * @return FISH_OK or any other fish_status; FISH_PENDING while the call runs.
 *
 * Any thread, any number at once; never waits. Since 0.1.0.
 */
fish_status fish_call_result_json(const fish_call *call, char **json, fish_error *error);

/**
 * Cancels the call if it is running, and frees it: the pointer and the descriptor become invalid. The thread
 * ends within 100 ms. NULL is harmless.
 *
 * Any thread; never waits. Since 0.1.0.
 */
void fish_call_free(fish_call *call);

/* ---- Watch --------------------------------------------------------------- */

/** How much credit is left, by its amount and a watch's options. As wide as an int32_t. */
typedef enum fish_level {
  /** Nothing has been read yet. */
  FISH_LEVEL_UNKNOWN = 0,
  /** Enough. */
  FISH_LEVEL_OK = 1,
  /** Below low_micros, or still below recovered_micros after a low or empty credit. */
  FISH_LEVEL_LOW = 2,
  /** At or below zero; without low_micros also while still below recovered_micros. */
  FISH_LEVEL_EMPTY = 3,
} fish_level;

/**
 * A watch reads the credit periodically on a thread of the library, and keeps the last good reading. The first
 * reading starts at once, then one follows per interval. Each failure in a row doubles the wait, up to ten
 * intervals; after 401, 402, 403 and 404, which need a person to act, the wait is ten intervals at once.
 * Retry-After is respected. A reading that fell due while the machine slept starts when it wakes.
 *
 * A watch ends with its client, its query's cancel token, or fish_watch_free. A forked child has no thread to
 * continue its parent's watch: there its status is FISH_CANCELLED.
 */
typedef struct fish_watch fish_watch;

/**
 * The options of a watch. Zero the whole struct, then set the fields that should differ from their default:
 * `fish_watch_options options = {0};`.
 */
typedef struct fish_watch_options {
  /** Milliseconds between two readings, plus or minus 5 %. 0: 60000. Below 1000 is invalid. */
  uint32_t interval_ms;
  /** A credit below this is FISH_LEVEL_LOW. 0: no such level. Below 0 is invalid. */
  int64_t low_micros;
  /**
   * After LOW or EMPTY, the level returns to OK only at or above this, so that it does not flicker around
   * low_micros. 0: low_micros. Below low_micros is invalid.
   */
  int64_t recovered_micros;
  /** Must be zero. */
  uint64_t reserved[6];
} fish_watch_options;

/**
 * The state of a watch. The library fills this struct and owns its strings; release them with
 * fish_watch_state_free.
 */
typedef struct fish_watch_state {
  /**
   * The last credit that was read; all zero until there is one. A failure never replaces it. It belongs to
   * this struct: do not release it separately.
   */
  fish_api_credit credit;
  /** The level of that credit. */
  fish_level level;
  /** How the latest reading ended. FISH_PENDING: none has ended yet. FISH_CANCELLED: the watch has ended. */
  fish_status status;
  /** How many readings in a row failed. */
  uint32_t failures;
  /** Milliseconds until the next reading starts. 0: it has started. UINT32_MAX: never. */
  uint32_t next_ms;
  /** Milliseconds since credit was read, time asleep included. 0 if there is none. */
  uint64_t age_ms;
  /** Increases by one whenever the text of credit, the level or the status changes. */
  uint64_t changes;
  /** Used by the library. */
  void *owner;
  /** Zero. */
  uint64_t reserved[4];
} fish_watch_state;

/**
 * Starts a watch.
 *
 * @param client   From fish_client_new. The watch keeps its own reference: the client may be freed, which ends
 *                 the watch. Not NULL.
 * @param query    NULL: the key's own account. Its strings are copied; its timeout_ms applies to each reading.
 * @param options  NULL: all defaults.
 * @param watch    Receives the watch; NULL on failure. Free it with fish_watch_free. Not NULL.
 * @param error    Says why it failed. May be NULL.
 * @return FISH_OK; FISH_INVALID_ARGUMENT or FISH_CANCELLED where fish_get_api_credit would return it before
 *         sending anything; FISH_CONNECT_FAILED if no thread could be started.
 *
 * Any thread; never waits. Since 0.1.0.
 */
fish_status fish_watch_start(const fish_client *client,
                             const fish_api_credit_query *query,
                             const fish_watch_options *options,
                             fish_watch **watch,
                             fish_error *error);

/**
 * Returns the watch's state. The descriptor is then not readable until something changes again.
 *
 * @param watch  From fish_watch_start. Not NULL.
 * @param state  Filled unless an argument is NULL, even if the latest reading failed. Release it with
 *               fish_watch_state_free. Not NULL.
 * @param error  Why the latest reading failed; zeroed if it did not. May be NULL.
 * @return FISH_OK or any other fish_status, the same as in state: FISH_PENDING before the first reading has
 *         ended, then how the latest one ended.
 *
 * Any thread, any number at once; never waits for the network. Since 0.1.0.
 */
fish_status fish_watch_read(const fish_watch *watch,
                            fish_watch_state *state,
                            fish_error *error);

/**
 * Starts a reading now, for example after a purchase. Several requests at once cause one reading; a request
 * during a reading causes another one after it. Only a server's Retry-After delays it. NULL is harmless.
 *
 * Any thread; never waits. Since 0.1.0.
 */
void fish_watch_refresh(fish_watch *watch);

/**
 * Returns a descriptor for an event loop. It is readable (POLLIN) when changes has increased since the last
 * fish_watch_read. A file descriptor; on Windows a SOCKET. Never read or close it: the watch owns it, and
 * fish_watch_free closes it.
 *
 * @return The descriptor. -1: none was available, watch is NULL, or this is a forked child; call
 *         fish_watch_read from time to time instead.
 *
 * Any thread; never waits. Since 0.1.0.
 */
intptr_t fish_watch_descriptor(const fish_watch *watch);

/**
 * Releases what a fish_watch_state owns, including its credit, and zeroes it. NULL, a zeroed struct and a
 * second call are harmless.
 *
 * Any thread. Since 0.1.0.
 */
void fish_watch_state_free(fish_watch_state *state);

/**
 * Ends the watch and frees it: the pointer and the descriptor become invalid. A running reading is cancelled,
 * and the thread ends within 100 ms. NULL is harmless.
 *
 * Any thread; never waits. Since 0.1.0.
 */
void fish_watch_free(fish_watch *watch);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* FISH_API_CREDIT_H */
