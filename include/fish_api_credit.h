/*
 * fish_api_credit.h - read a Fish Audio account's API credit.
 *
 * Three rules make the whole interface:
 *
 *  1. Structs you pass in start zeroed. Zero or NULL in a field means its default. `reserved` must be zero.
 *     New fields take their place from `reserved`, so a struct never changes size.
 *  2. Structs you get back are filled by the library and own their strings. Every call overwrites its
 *     out-parameters first and never frees what was in them, so they need no initialisation. Release each with
 *     its own *_free, which also zeroes it: calling it twice, or with NULL, is harmless.
 *  3. Every function that can fail returns a fish_status, and fills a fish_error if you gave it one. A
 *     `fish_error *` may always be NULL. After success the error is zeroed, so freeing it is always right.
 *
 * All text is UTF-8. No function prints, raises a signal, changes a global setting or lets an exception out.
 * "Any thread" means that no lock of yours is needed around the call.
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

/* Described further down. */
typedef struct fish_error fish_error;
typedef struct fish_cancel_token fish_cancel_token;

/* ---- The library --------------------------------------------------------- */

/** The version of this header; fish_version() is that of the library that was loaded. */
#define FISH_VERSION "0.1.0"
/** The version of this header, in numbers: 0.1.0 is 0, 1 and 0. */
#define FISH_VERSION_MAJOR 0
/** The second number. */
#define FISH_VERSION_MINOR 1
/** The third number. */
#define FISH_VERSION_PATCH 0
/** The binary interface of this header. It grows when a program built for an older one would break. */
#define FISH_ABI_VERSION 1

/**
 * The version of the library that was loaded, such as "0.1.0". Static: never NULL, never freed.
 *
 * Any thread. Since 0.1.0.
 */
const char *fish_version(void);

/**
 * The binary interface of the library that was loaded. A program that loads the library at run time should
 * refuse one whose number is not the FISH_ABI_VERSION it was built with.
 *
 * Any thread. Since 0.1.0.
 */
uint32_t fish_abi_version(void);

/* ---- How a call ended ---------------------------------------------------- */

/** How a call ended. The values are stable; functions take and give them as a fish_status. */
typedef enum fish_status_code {
  /** Success. */
  FISH_OK = 0,
  /** The caller: an argument or option was refused, and nothing was sent. The message names it. */
  FISH_INVALID_ARGUMENT = 1,
  /** The caller: no api_key option, and no FISH_API_KEY in the environment. */
  FISH_MISSING_API_KEY = 2,
  /** The caller: the query's cancel token, or the client, was cancelled. */
  FISH_CANCELLED = 3,
  /** The caller: asked before there was a result. Not a failure. */
  FISH_PENDING = 4,
  /** On the way: the host name could not be resolved. Check base_url and DNS. */
  FISH_RESOLVE_FAILED = 20,
  /** On the way: no connection could be made to any of the host's addresses. Check the network and firewalls. */
  FISH_CONNECT_FAILED = 21,
  /**
   * On the way: no secure connection could be made. The message says what was wrong with it. In a company's
   * network, set FISH_TLS_ROOTS_SYSTEM or ca_file.
   */
  FISH_TLS_FAILED = 22,
  /**
   * On the way: the proxy could not be reached, refused, or gave an answer that is not a proxy's. Check
   * proxy_url or the environment's proxies.
   */
  FISH_PROXY_FAILED = 23,
  /** On the way: timeout_ms passed. A call never takes longer. Try later, or allow more time. */
  FISH_TIMED_OUT = 24,
  /** On the way: the connection ended before a whole answer had arrived. Try later. */
  FISH_CONNECTION_LOST = 25,
  /** The server's answer: 401. The API key is wrong. */
  FISH_UNAUTHORIZED = 40,
  /** The server's answer: 402. Top up the account. */
  FISH_PAYMENT_REQUIRED = 41,
  /** The server's answer: 403. The key may not read this wallet. */
  FISH_FORBIDDEN = 42,
  /** The server's answer: 404. There is no such user or team, or base_url is wrong. */
  FISH_NOT_FOUND = 43,
  /** The server's answer: 400 or 422. See fish_error.field_errors. */
  FISH_VALIDATION_FAILED = 44,
  /** The server's answer: 429. Wait fish_error.retry_after_ms, and ask less often. */
  FISH_RATE_LIMITED = 45,
  /** The server's answer: 500 to 599. Try later. */
  FISH_SERVER_ERROR = 46,
  /** The server's answer: any other HTTP status. Redirects too: they are never followed. Check base_url. */
  FISH_UNEXPECTED_STATUS = 47,
  /**
   * The server's answer: not HTTP, or a 200 that is not the documented document. No value of it is used.
   * Check base_url.
   */
  FISH_BAD_RESPONSE = 48,
  /** The server's answer: a document above 1 MiB, or a head above 64 KiB or 100 header fields. Check base_url. */
  FISH_RESPONSE_TOO_LARGE = 49,
  /** This library: a bug of ours, caught before it could reach the caller. Please report the message. */
  FISH_INTERNAL_ERROR = 90,
} fish_status_code;

/** Yes, no, or the server did not say. As wide as an int32_t. */
typedef enum fish_tristate {
  /** Absent from the answer, or null in it. */
  FISH_UNKNOWN = -1,
  /** No. */
  FISH_FALSE = 0,
  /** Yes. */
  FISH_TRUE = 1,
} fish_tristate;

/** How a call ended: a fish_status_code. New ones may come; treat an unknown one as a failure. */
typedef int32_t fish_status;

/**
 * The name of a status as it stands in this header, such as "FISH_TIMED_OUT"; "FISH_UNKNOWN_STATUS" for any
 * number that is none. Static: never NULL, never freed.
 *
 * Any thread. Since 0.1.0.
 */
const char *fish_status_name(int32_t status);

/* ---- A client ------------------------------------------------------------ */

/** Trust the certificate authorities of Mozilla's list, as it was when the library was built. The default. */
#define FISH_TLS_ROOTS_BUNDLED 0
/** Trust what the operating system trusts, a company's own authorities included. */
#define FISH_TLS_ROOTS_SYSTEM 1

/**
 * A client: its connections, its TLS and its settings. Make one and keep it: a call on a kept connection
 * is many times cheaper than a first one. Any number of threads may call with one client at once. After a
 * fork, the child may go on with it: it opens connections of its own.
 */
typedef struct fish_client fish_client;

/**
 * Settings of a client. Zero the whole struct, then set what should differ from its default:
 * `fish_client_options options = {0};`. The strings are copied.
 */
typedef struct fish_client_options {
  /**
   * The secret API key. NULL: the environment variable FISH_API_KEY. Wiped from memory by
   * fish_client_free, and sent nowhere but to base_url's host.
   */
  const char *api_key;
  /**
   * NULL: "https://api.fish.audio". May carry a port and a path; no user, query or fragment. Plain
   * http:// only to a loopback host.
   */
  const char *base_url;
  /**
   * "http://[user:password@]host:port" or "socks5://...". "": no proxy. NULL: the environment variables
   * HTTPS_PROXY, ALL_PROXY and NO_PROXY, which are ignored if base_url is a loopback host. For such a host,
   * only a proxy on a loopback host is allowed.
   */
  const char *proxy_url;
  /** A PEM file of the certificates to trust, and no others. NULL: see tls_roots. */
  const char *ca_file;
  /** Put before the library's own User-Agent, such as "studio/2.1". NULL: "fish-api-credit/0.1.0" alone. */
  const char *user_agent;
  /** Milliseconds for a whole call: resolving, connecting, retries and the waits between. 0: 15000. */
  uint32_t timeout_ms;
  /** Milliseconds for one attempt at a connection, TLS included. 0: 5000. */
  uint32_t connect_timeout_ms;
  /** How often a failed call is repeated. 0: 2 times. -1: never. */
  int32_t max_retries;
  /** FISH_TLS_ROOTS_BUNDLED or FISH_TLS_ROOTS_SYSTEM. */
  int32_t tls_roots;
  /** Zero. */
  uint64_t reserved[8];
} fish_client_options;

/**
 * Makes a client. Sends nothing: a wrong key shows at the first call.
 *
 * @param options  NULL: all defaults.
 * @param client   Receives the client; NULL on failure. Free it with fish_client_free. Not NULL.
 * @param error    Says why it failed. May be NULL.
 * @return FISH_OK, FISH_INVALID_ARGUMENT, FISH_MISSING_API_KEY, or FISH_TLS_FAILED if the system's
 *         certificates could not be read.
 *
 * Any thread. Since 0.1.0.
 */
fish_status fish_client_new(const fish_client_options *options,
                            fish_client **client,
                            fish_error *error);

/**
 * Ends every call with this client, now and later: each returns FISH_CANCELLED within 100 ms. NULL is allowed,
 * and cancelling twice. The client still has to be freed. In a forked child it ends the child's calls only.
 *
 * Any thread, a real-time audio thread too: takes no lock, allocates nothing. One line in a host's exit hook.
 * Since 0.1.0.
 */
void fish_client_cancel(fish_client *client);

/**
 * Cancels as fish_client_cancel does, and lets go. It never waits: calls under way keep their own share of the
 * client, and the last of them to return closes its connections and wipes its key. NULL is allowed. No call may
 * begin with this pointer afterwards.
 *
 * Any thread; never waits. Since 0.1.0.
 */
void fish_client_free(fish_client *client);

/* ---- What to ask for ----------------------------------------------------- */

/**
 * What to ask for. Zero the whole struct, then set what should differ from its default:
 * `fish_api_credit_query query = {0};`.
 */
typedef struct fish_api_credit_query {
  /** Whose wallet. NULL: "self", the key's own account. Percent-encoded by the library. */
  const char *user_id;
  /**
   * The team whose API credit is meant, which is another number than the account's own. NULL: not sent, and the
   * account's own is read, with a team's key too.
   */
  const char *team_id;
  /** Ask for has_free_credit too. Sent only when true. */
  bool check_free_credit;
  /** Milliseconds for this whole call. 0: the client's timeout_ms. */
  uint32_t timeout_ms;
  /**
   * Cancels this call from another thread. NULL: it cannot be cancelled. The call keeps its own share: the
   * token may be freed while the call runs.
   */
  fish_cancel_token *cancel;
  /** Zero. */
  uint64_t reserved[4];
} fish_api_credit_query;

/* ---- What comes back ----------------------------------------------------- */

/** In place of a time whose text is no RFC 3339 date-time. */
#define FISH_TIME_UNKNOWN INT64_MIN

/**
 * The API credit of one wallet, which programs spend: the account's own, or a team's if the query named one.
 * The platform credit of a plan, which the website spends, is a third wallet and is not read. The library fills
 * this struct and owns its strings; release them with fish_api_credit_free.
 */
typedef struct fish_api_credit {
  /** The wallet's id ("_id"). Never NULL. */
  const char *id;
  /** The account's id. Never NULL. */
  const char *user_id;
  /** The balance as exact decimal text, as sent; users take it as US dollars. May be negative. Never NULL. */
  const char *credit;
  /** All that was ever paid in, as decimal text. NULL if the server did not send it. */
  const char *cumulative_top_up;
  /** When the wallet was made, as sent (RFC 3339). Never NULL. */
  const char *created_at;
  /** When it last changed, as sent (RFC 3339). Never NULL. */
  const char *updated_at;
  /**
   * The server's name for this request (x-fish-trace-id, else cf-ray), for its support. NULL if it was not sent,
   * or if the credit was decoded by fish_api_credit_from_json.
   */
  const char *request_id;
  /** credit x 1,000,000, rounded down (it never overstates), saturating. */
  int64_t credit_micros;
  /** cumulative_top_up x 1,000,000, likewise. 0 if it was not sent. */
  int64_t cumulative_top_up_micros;
  /** created_at in microseconds since 1970 UTC, or FISH_TIME_UNKNOWN. */
  int64_t created_at_unix_us;
  /** updated_at in microseconds since 1970 UTC, or FISH_TIME_UNKNOWN. */
  int64_t updated_at_unix_us;
  /** False if credit_micros lost something to rounding or saturation. The text never does. */
  bool credit_micros_exact;
  /** Whether a phone number is known. FISH_UNKNOWN: absent or null. */
  fish_tristate has_phone_sha256;
  /** Whether free credit is left. FISH_UNKNOWN: absent or null, as it is unless check_free_credit is set. */
  fish_tristate has_free_credit;
  /** The library's own. */
  void *owner;
  /** Zero. */
  uint64_t reserved[4];
} fish_api_credit;

/**
 * Asks for an account's API credit. Returns within timeout_ms, whatever the network does.
 *
 * @param client  From fish_client_new. Not NULL.
 * @param query   NULL: the key's own account.
 * @param credit  Filled on success, zeroed otherwise; whatever it held before is overwritten, not freed.
 *                Release it with fish_api_credit_free. Not NULL.
 * @param error   Says why it failed. May be NULL.
 * @return FISH_OK or any other fish_status.
 *
 * Any thread, any number at once; it blocks, so not the thread that draws or plays. Since 0.1.0.
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

/* ---- Amounts as text ----------------------------------------------------- */

/**
 * Writes an amount of micros, such as fish_api_credit.credit_micros, as exact decimal text, rounded down:
 * 12345678 with 2 decimals is "12.34", and -1 is "-0.01". It never overstates a balance. Works as snprintf does:
 * at most `size` bytes are written, the closing NUL included, and a text that does not fit is cut.
 *
 * @param micros    Millionths.
 * @param decimals  Digits after the point, 0 to 6. More than 6 are taken as 6; with 0 there is no point.
 * @param buffer    Yours; where the text goes. 32 bytes are always enough. NULL: nothing is written.
 * @param size      The buffer's size in bytes. 0: nothing is written.
 * @return The length of the whole text, without the closing NUL. It was cut if this is not below `size`.
 *
 * Any thread; never waits. Since 0.1.0.
 */
size_t fish_format_micros(int64_t micros,
                          uint32_t decimals,
                          char *buffer,
                          size_t size);

/* ---- The same, as the server's JSON -------------------------------------- */

/**
 * The same call as fish_get_api_credit, giving the server's JSON document as text: exactly the bytes sent,
 * fields unknown to this version included. It succeeds exactly when fish_get_api_credit would.
 *
 * @param client  From fish_client_new. Not NULL.
 * @param query   NULL: the key's own account.
 * @param json    Receives the text, NUL-terminated UTF-8; NULL on failure. Release it with fish_string_free.
 *                Not NULL.
 * @param error   Says why it failed. May be NULL.
 * @return FISH_OK or any other fish_status.
 *
 * Any thread, any number at once; it blocks. Since 0.1.0.
 */
fish_status fish_get_api_credit_json(const fish_client *client,
                                     const fish_api_credit_query *query,
                                     char **json,
                                     fish_error *error);

/**
 * Releases a string that fish_get_api_credit_json or fish_call_result_json gave. NULL is harmless; a
 * second call is not.
 *
 * Any thread. Since 0.1.0.
 */
void fish_string_free(char *string);

/**
 * Decodes a document kept from an earlier fish_get_api_credit_json, by the same rules. No network.
 *
 * @param json    The document; it need not end in NUL. Not NULL.
 * @param length  Its length in bytes, without a closing NUL.
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

/* ---- Why it failed ------------------------------------------------------- */

/** One thing that the server found wrong with the request (a 422 lists them). */
typedef struct fish_field_error {
  /** Which field, such as "query.check_free_credit": "loc" joined by dots. Never NULL. */
  const char *location;
  /** "in": "path", "query", "header", "cookie" or "body". NULL if not said. */
  const char *source;
  /** What kind of error, such as "bool_parsing". Never NULL. */
  const char *type;
  /** The server's sentence. Never NULL. */
  const char *message;
  /** "ctx", as text. NULL if there is none. */
  const char *context;
} fish_field_error;

/**
 * Why a call failed. The library fills this struct and owns its strings; release them with fish_error_free.
 * After success all of it is zero, so freeing it is always right.
 */
struct fish_error {
  /** What the function returned. */
  fish_status status;
  /** The HTTP status of the last answer, of which the head at least arrived. 0: none did. */
  int32_t http_status;
  /**
   * How often the request was tried, retries and failed connections included. 0: it was refused before anything
   * was sent. A kept connection that turned out to be closed, and was replaced, is not counted.
   */
  uint32_t attempts;
  /** How long the server asks to be left alone, in milliseconds (Retry-After). 0: it did not say. */
  uint32_t retry_after_ms;
  /** The same call may succeed later. */
  bool retryable;
  /** One sentence that says what to do. Never NULL on failure; no secret is ever in it. */
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
  /** What a 422 found wrong. NULL if nothing is listed. */
  const fish_field_error *field_errors;
  /** How many field_errors there are. */
  size_t field_error_count;
  /** The library's own. */
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

/* ---- Cancelling ---------------------------------------------------------- */

/**
 * Cancels calls from any thread, any number of them at once. A cancelled token stays cancelled: make a new
 * one for the next call.
 */
struct fish_cancel_token;

/**
 * Makes a token. NULL only if the library has a bug.
 *
 * Any thread; never waits. Free it with fish_cancel_token_free. Since 0.1.0.
 */
fish_cancel_token *fish_cancel_token_new(void);

/**
 * Cancels every call that was given this token, now or later; each returns FISH_CANCELLED within 100 ms. NULL
 * is allowed, and cancelling twice. A call that returns for it may free the token at once, even before this
 * function has returned. In a forked child it cancels the child's calls only.
 *
 * Any thread, a real-time audio thread too: takes no lock, allocates nothing. Since 0.1.0.
 */
void fish_cancel_token_cancel(fish_cancel_token *token);

/**
 * Frees a token; it does not cancel. NULL is allowed. Calls that were given it keep their own share, so it
 * may be freed while they run.
 *
 * Any thread; never waits. Since 0.1.0.
 */
void fish_cancel_token_free(fish_cancel_token *token);

/* ---- A call in the background -------------------------------------------- */

/**
 * One call in the background, on a thread of the library's: for event loops, for runtimes with threads of
 * their own, and for threads that draw. Wait for it with poll, epoll, select, kqueue or WSAPoll on its
 * descriptor, with fish_call_wait, or look at it now and again with fish_call_is_done.
 *
 * In a forked child there is no thread that goes on with its parent's call: there it is done, and its
 * result is FISH_CANCELLED if it was not there before the fork.
 */
typedef struct fish_call fish_call;

/**
 * Starts a call, without waiting for anything. Its thread has 256 KiB of stack and all signals blocked but
 * those of its own faults, and ends by itself.
 *
 * @param client  From fish_client_new. The call keeps its own share: the client may be freed, which
 *                cancels the call. Not NULL.
 * @param query   NULL: the key's own account. Its strings are copied.
 * @param call    Receives the call; NULL on failure. Free it with fish_call_free. Not NULL.
 * @param error   Says why it failed. May be NULL.
 * @return FISH_OK; what fish_get_api_credit would refuse before it sends anything: FISH_INVALID_ARGUMENT or
 *         FISH_CANCELLED; FISH_CONNECT_FAILED if no thread could be started.
 *
 * Any thread, any number at once; never waits. Since 0.1.0.
 */
fish_status fish_call_start(const fish_client *client,
                            const fish_api_credit_query *query,
                            fish_call **call,
                            fish_error *error);

/**
 * Whether the call is done, and its result can be had. True for NULL.
 *
 * Any thread; never waits. Since 0.1.0.
 */
bool fish_call_is_done(const fish_call *call);

/**
 * Waits until the call is done.
 *
 * @param call        From fish_call_start. NULL is refused.
 * @param timeout_ms  Milliseconds to wait at most. 0: does not wait.
 * @return FISH_OK: it is done, whatever its result is. FISH_PENDING: it is not. FISH_INVALID_ARGUMENT:
 *         call is NULL.
 *
 * Any thread, any number at once; it blocks. Since 0.1.0.
 */
fish_status fish_call_wait(const fish_call *call, uint32_t timeout_ms);

/**
 * What an event loop watches: readable (POLLIN) once the call is done, and from then on. A file
 * descriptor; on Windows a SOCKET. Never read it, never close it: it is the call's, and closed by
 * fish_call_free.
 *
 * @return -1: none could be had, or call is NULL, or this is a forked child; look at fish_call_is_done
 *         instead.
 *
 * Any thread; never waits. Since 0.1.0.
 */
intptr_t fish_call_descriptor(const fish_call *call);

/**
 * The call's result, as often as asked: what fish_get_api_credit would have given.
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
 * The same as the server's JSON document: what fish_get_api_credit_json would have given.
 *
 * @param call   From fish_call_start. Not NULL.
 * @param json   Receives the text; NULL unless it succeeded. Release it with fish_string_free. Not NULL.
 * @param error  Says why it failed. May be NULL.
 * @return FISH_OK or any other fish_status; FISH_PENDING while the call runs.
 *
 * Any thread, any number at once; never waits. Since 0.1.0.
 */
fish_status fish_call_result_json(const fish_call *call, char **json, fish_error *error);

/**
 * Cancels the call if it runs, and lets go: the pointer and the descriptor are invalid from then on. It
 * never waits; the thread ends within 100 ms. NULL is allowed.
 *
 * Any thread; never waits. Since 0.1.0.
 */
void fish_call_free(fish_call *call);

/* ---- A watch ------------------------------------------------------------- */

/** How much credit there is, told from its amount and a watch's options. As wide as an int32_t. */
typedef enum fish_level {
  /** Nothing has been read yet. */
  FISH_LEVEL_UNKNOWN = 0,
  /** Enough. */
  FISH_LEVEL_OK = 1,
  /** Below low_micros, or not yet recovered from there. */
  FISH_LEVEL_LOW = 2,
  /** At or below zero, or not yet recovered from there where there is no FISH_LEVEL_LOW. */
  FISH_LEVEL_EMPTY = 3,
} fish_level;

/**
 * A watch reads the credit again and again on a thread of the library's, and always has the last good
 * answer at hand. It reads at once when it is started, then once an interval. A reading that fails doubles
 * the wait, up to ten intervals; after 401, 402, 403 and 404 it is ten at once, for somebody must act
 * first. Retry-After is respected. After the machine has slept it reads at once.
 *
 * It ends with its client, its query's cancel token, or fish_watch_free. In a forked child no thread goes
 * on with its parent's watch: there its status is FISH_CANCELLED.
 */
typedef struct fish_watch fish_watch;

/**
 * Settings of a watch. Zero the whole struct, then set what should differ from its default:
 * `fish_watch_options options = {0};`.
 */
typedef struct fish_watch_options {
  /** Milliseconds between two readings, give or take 5 %. 0: 60000. Below 1000 is refused. */
  uint32_t interval_ms;
  /** A credit below this is FISH_LEVEL_LOW. 0: there is no such level. Below 0 is refused. */
  int64_t low_micros;
  /**
   * From LOW or EMPTY the level is OK again only at or above this, so that a credit at the edge does not
   * flicker. 0: low_micros. Below low_micros is refused.
   */
  int64_t recovered_micros;
  /** Zero. */
  uint64_t reserved[6];
} fish_watch_options;

/**
 * What a watch knows. The library fills this struct and owns its strings; release them with
 * fish_watch_state_free.
 */
typedef struct fish_watch_state {
  /**
   * The last that was read; all zero until there is one. A failure never replaces it. It belongs to this
   * struct: do not release it by itself.
   */
  fish_api_credit credit;
  /** The level of that credit. */
  fish_level level;
  /** How the newest reading ended. FISH_PENDING: none has. FISH_CANCELLED: the watch has ended. */
  fish_status status;
  /** How many readings in a row failed. */
  uint32_t failures;
  /** Milliseconds until the next reading begins. 0: it has begun. UINT32_MAX: never. */
  uint32_t next_ms;
  /** Milliseconds since credit was read, time asleep included. 0 if there is none. */
  uint64_t age_ms;
  /** Grows by one whenever credit's text, the level or the status changes. */
  uint64_t changes;
  /** The library's own. */
  void *owner;
  /** Zero. */
  uint64_t reserved[4];
} fish_watch_state;

/**
 * Starts a watch, without waiting for anything.
 *
 * @param client   From fish_client_new. The watch keeps its own share: the client may be freed, which ends
 *                 the watch. Not NULL.
 * @param query    NULL: the key's own account. Its strings are copied; its timeout_ms is that of each
 *                 reading.
 * @param options  NULL: all defaults.
 * @param watch    Receives the watch; NULL on failure. Free it with fish_watch_free. Not NULL.
 * @param error    Says why it failed. May be NULL.
 * @return FISH_OK; what fish_get_api_credit would refuse before it sends anything: FISH_INVALID_ARGUMENT or
 *         FISH_CANCELLED; FISH_CONNECT_FAILED if no thread could be started.
 *
 * Any thread; never waits. Since 0.1.0.
 */
fish_status fish_watch_start(const fish_client *client,
                             const fish_api_credit_query *query,
                             const fish_watch_options *options,
                             fish_watch **watch,
                             fish_error *error);

/**
 * What the watch knows now. Reading it makes its descriptor silent until something changes again.
 *
 * @param watch  From fish_watch_start. Not NULL.
 * @param state  Filled unless an argument is NULL, also when the newest reading failed. Release it with
 *               fish_watch_state_free. Not NULL.
 * @param error  Why the newest reading failed; zeroed if it did not. May be NULL.
 * @return FISH_OK or any other fish_status, the same as state's: FISH_PENDING before the first reading has
 *         ended, else how the newest one did.
 *
 * Any thread, any number at once; never waits for the network. Since 0.1.0.
 */
fish_status fish_watch_read(const fish_watch *watch,
                            fish_watch_state *state,
                            fish_error *error);

/**
 * Reads now, after a purchase or a spend. Several at once are one; one that is asked for during a reading
 * follows it. Only a server's Retry-After is waited for. NULL is allowed.
 *
 * Any thread; never waits. Since 0.1.0.
 */
void fish_watch_refresh(fish_watch *watch);

/**
 * What an event loop watches: readable (POLLIN) when changes has grown since the last fish_watch_read. A
 * file descriptor; on Windows a SOCKET. Never read it, never close it: it is the watch's, and closed by
 * fish_watch_free.
 *
 * @return -1: none could be had, or watch is NULL, or this is a forked child; read the watch now and again
 *         instead.
 *
 * Any thread; never waits. Since 0.1.0.
 */
intptr_t fish_watch_descriptor(const fish_watch *watch);

/**
 * Releases what a fish_watch_state owns, its credit too, and zeroes it. NULL, a zeroed struct and a second
 * call are harmless.
 *
 * Any thread. Since 0.1.0.
 */
void fish_watch_state_free(fish_watch_state *state);

/**
 * Ends the watch, and lets go: the pointer and the descriptor are invalid from then on. It never waits; a
 * reading under way is cancelled, and the thread ends within 100 ms. NULL is allowed.
 *
 * Any thread; never waits. Since 0.1.0.
 */
void fish_watch_free(fish_watch *watch);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* FISH_API_CREDIT_H */
