/*
 * fish_api_credit.hpp - read a Fish Audio account's API credit, from C++17 or later.
 *
 * A thin, header-only wrapper of fish_api_credit.h, which adds no behaviour. It follows three rules:
 *
 *  1. A class that owns something frees it, and can be moved but not copied: Client, Call, Watch, ApiCredit, JsonText,
 *     CancelToken, Error.
 *  2. Every function that can fail returns a Result and throws nothing. Test it (`if (result)`), or call its value(),
 *     which throws fish::Exception.
 *  3. Returned text is a std::string_view into its owner: it lives as long as the owner, and ends in NUL. An optional
 *     value is a std::optional.
 *
 * Text parameters are std::strings, which the library reads in place, without copying the key on the way. Built with
 * -fno-exceptions, the header has no Exception and no value(), and is otherwise the same. It defines no macro except
 * its include guard.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef FISH_API_CREDIT_HPP
#define FISH_API_CREDIT_HPP

/* MSVC sets __cplusplus correctly only with an option, but always _MSVC_LANG. Below C++17 nothing else is compiled, so
   that there is only one error. */
#if __cplusplus < 201703L && !(defined(_MSVC_LANG) && _MSVC_LANG >= 201703L)
#error "fish_api_credit.hpp needs C++17 or later: compile with -std=c++17 (MSVC: /std:c++17), or use fish_api_credit.h."
#else

#include "fish_api_credit.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace fish {

/** How a call ended. New values may be added; treat an unknown one as a failure. */
enum class StatusCode : fish_status {
  // Generated from src/ffi: the values of fish_status_code.
  ok = FISH_OK,
  invalid_argument = FISH_INVALID_ARGUMENT,
  missing_api_key = FISH_MISSING_API_KEY,
  cancelled = FISH_CANCELLED,
  pending = FISH_PENDING,
  resolve_failed = FISH_RESOLVE_FAILED,
  connect_failed = FISH_CONNECT_FAILED,
  tls_failed = FISH_TLS_FAILED,
  proxy_failed = FISH_PROXY_FAILED,
  timed_out = FISH_TIMED_OUT,
  connection_lost = FISH_CONNECTION_LOST,
  unauthorized = FISH_UNAUTHORIZED,
  payment_required = FISH_PAYMENT_REQUIRED,
  forbidden = FISH_FORBIDDEN,
  not_found = FISH_NOT_FOUND,
  validation_failed = FISH_VALIDATION_FAILED,
  rate_limited = FISH_RATE_LIMITED,
  server_error = FISH_SERVER_ERROR,
  unexpected_status = FISH_UNEXPECTED_STATUS,
  bad_response = FISH_BAD_RESPONSE,
  response_too_large = FISH_RESPONSE_TOO_LARGE,
  internal_error = FISH_INTERNAL_ERROR,
  // End of the generated part.
};

/** How much credit is left, by its amount and the options of a Watch. */
enum class Level : std::int32_t {
  // Generated from src/ffi: the values of fish_level.
  unknown = FISH_LEVEL_UNKNOWN,
  ok = FISH_LEVEL_OK,
  low = FISH_LEVEL_LOW,
  empty = FISH_LEVEL_EMPTY,
  // End of the generated part.
};

/** Returns the name of a status in the C header, such as "FISH_TIMED_OUT". Valid forever. */
inline std::string_view status_name(StatusCode status) noexcept {
  return fish_status_name(static_cast<fish_status>(status));
}

/** Returns the version of the loaded library, such as "0.1.0". Valid forever. */
inline std::string_view version() noexcept { return fish_version(); }

/** Formats micros as exact decimal text, rounded down: 12345678 with 2 decimals is "12.34". At most 6 decimals. */
inline std::string format_micros(std::int64_t micros, std::uint32_t decimals) {
  char text[32];
  return std::string(text, fish_format_micros(micros, decimals, text, sizeof text));
}

/** Returns whether the loaded library has the ABI of this header. */
inline bool is_compatible() noexcept { return fish_abi_version() == FISH_ABI_VERSION; }

/** A moment in UTC, to the microsecond. The same type as C++20's std::chrono::sys_time<microseconds>. */
using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/** One problem that the server found in the request (a 422 lists them). The Error owns its text. */
struct FieldError {
  // Generated from src/ffi: the fields of fish_field_error.
  /** The field, such as "query.check_free_credit": the parts of "loc" joined by dots. */
  std::string_view location;
  /** "in": "path", "query", "header", "cookie" or "body". None if not sent. */
  std::optional<std::string_view> source;
  /** The kind of error, such as "bool_parsing". */
  std::string_view type;
  /** The server's description. */
  std::string_view message;
  /** "ctx" as text. None if not sent. */
  std::optional<std::string_view> context;
  // End of the generated part.
};

class Client;
class ApiCredit;

/** Internal; not part of the interface. */
namespace detail {

inline std::optional<std::string_view> text_or_none(const char *text) noexcept {
  return text == nullptr ? std::nullopt : std::optional<std::string_view>(text);
}

/** The number beside a text that may be missing. */
inline std::optional<std::int64_t> if_set(const char *text, std::int64_t number) noexcept {
  return text == nullptr ? std::nullopt : std::optional<std::int64_t>(number);
}

inline std::optional<bool> flag(fish_tristate value) noexcept {
  return value == FISH_UNKNOWN ? std::nullopt : std::optional<bool>(value == FISH_TRUE);
}

inline std::optional<Time> time(std::int64_t unix_us) noexcept {
  return unix_us == FISH_TIME_UNKNOWN ? std::nullopt
                                      : std::optional<Time>(Time(std::chrono::microseconds(unix_us)));
}

/** A C string; NULL if not set. */
inline const char *pointer(const std::optional<std::string> &text) noexcept {
  return text ? text->c_str() : nullptr;
}

/** In C, the text would end at a NUL inside it. */
inline bool has_nul(const std::optional<std::string> &text) noexcept {
  return text && text->find('\0') != std::string::npos;
}

/** Rounded up, and limited to the range of a uint32_t. */
template <typename Rep, typename Period>
std::uint32_t milliseconds(const std::chrono::duration<Rep, Period> &duration) noexcept {
  constexpr auto most = (std::numeric_limits<std::uint32_t>::max)();
  // Compared as a double first, because the conversion to milliseconds may overflow.
  const double count = std::chrono::duration<double, std::milli>(duration).count();
  if (!(count > 0)) {
    return 0;
  }
  return count < most ? static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::milliseconds>(duration).count())
                      : most;
}

/** Frees what C allocated. */
struct Release {
  void operator()(fish_client *client) const noexcept { fish_client_free(client); }
  void operator()(fish_call *call) const noexcept { fish_call_free(call); }
  void operator()(fish_watch *watch) const noexcept { fish_watch_free(watch); }
  void operator()(fish_cancel_token *token) const noexcept { fish_cancel_token_free(token); }
  void operator()(char *text) const noexcept { fish_string_free(text); }
};

/** Move-only; NULL after a move. */
template <typename T> using Owned = std::unique_ptr<T, Release>;

/** A struct that C fills. Move-only; zero after a move. */
template <typename T, void (*free)(T *)> struct Filled {
  Filled() noexcept = default;
  explicit Filled(const T &from) noexcept : raw(from) {}
  Filled(Filled &&other) noexcept : raw(std::exchange(other.raw, T{})) {}
  Filled &operator=(Filled &&other) noexcept {
    Filled mine(std::move(*this));
    raw = std::exchange(other.raw, T{});
    return *this;
  }
  Filled(const Filled &) = delete;
  Filled &operator=(const Filled &) = delete;
  ~Filled() { free(&raw); }

  const T *operator->() const noexcept { return &raw; }

  T raw{};
};

/** Iterates over the field errors of a fish_error without copying them. */
class FieldErrorIterator {
public:
  using iterator_category = std::input_iterator_tag;
  using value_type = FieldError;
  using difference_type = std::ptrdiff_t;
  using pointer = void;
  using reference = FieldError;

  FieldErrorIterator() noexcept = default;
  explicit FieldErrorIterator(const fish_field_error *at) noexcept : at_(at) {}

  FieldError operator*() const noexcept {
    // Generated from src/ffi: the members of fish_field_error.
    return {at_->location, text_or_none(at_->source), at_->type, at_->message, text_or_none(at_->context)};
    // End of the generated part.
  }
  FieldErrorIterator &operator++() noexcept {
    ++at_;
    return *this;
  }
  FieldErrorIterator operator++(int) noexcept { return FieldErrorIterator(at_++); }
  friend bool operator==(FieldErrorIterator a, FieldErrorIterator b) noexcept { return a.at_ == b.at_; }
  friend bool operator!=(FieldErrorIterator a, FieldErrorIterator b) noexcept { return a.at_ != b.at_; }

private:
  const fish_field_error *at_ = nullptr;
};

} // namespace detail

/** The field errors of an Error, as a range. Valid as long as the Error. */
class FieldErrors {
public:
  explicit FieldErrors(const fish_error &raw) noexcept : first_(raw.field_errors), count_(raw.field_error_count) {}

  std::size_t size() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  /** `at` must be below size(). */
  FieldError operator[](std::size_t at) const noexcept { return *detail::FieldErrorIterator(first_ + at); }
  detail::FieldErrorIterator begin() const noexcept { return detail::FieldErrorIterator(first_); }
  detail::FieldErrorIterator end() const noexcept {
    return detail::FieldErrorIterator(empty() ? first_ : first_ + count_);
  }

private:
  const fish_field_error *first_;
  std::size_t count_;
};

/** Why a call failed. After a move it is empty: its status is StatusCode::ok. */
class Error {
public:
  /** Takes ownership of a struct that a C function filled. */
  explicit Error(const fish_error &raw) noexcept : shared_(new fish_error(raw), release) {}
  Error(Error &&other) noexcept = default;
  Error &operator=(Error &&other) noexcept = default;
  Error &operator=(const Error &) = delete;

  /** How the call ended. */
  StatusCode status() const noexcept { return static_cast<StatusCode>(raw().status); }
  /** One sentence that says what failed and what to do. It never contains a secret. */
  std::string_view message() const noexcept { return raw().message == nullptr ? "" : raw().message; }
  /** Whether the same call may succeed later. */
  bool retryable() const noexcept { return raw().retryable; }
  /** The HTTP status of the last response, if one arrived. */
  std::optional<int> http_status() const noexcept {
    return raw().http_status == 0 ? std::nullopt : std::optional<int>(raw().http_status);
  }
  /** How many times the request was tried, including retries and failed connections. 0: nothing was sent. */
  std::uint32_t attempts() const noexcept { return raw().attempts; }
  /** How long the server asks to wait (Retry-After), if it was sent. */
  std::optional<std::chrono::milliseconds> retry_after() const noexcept {
    return raw().retry_after_ms == 0
               ? std::nullopt
               : std::optional<std::chrono::milliseconds>(std::chrono::milliseconds(raw().retry_after_ms));
  }
  /** The server's own message. */
  std::optional<std::string_view> api_message() const noexcept { return detail::text_or_none(raw().api_message); }
  /** The server's machine-readable reason. */
  std::optional<std::string_view> api_reason() const noexcept { return detail::text_or_none(raw().api_reason); }
  /** The server's id for this request, to quote to its support. */
  std::optional<std::string_view> request_id() const noexcept { return detail::text_or_none(raw().request_id); }
  /** The start of the error body, at most 4 KiB. */
  std::optional<std::string_view> body() const noexcept { return detail::text_or_none(raw().body); }
  /** The problems that a 422 lists. */
  FieldErrors field_errors() const noexcept { return FieldErrors(raw()); }

private:
  // An Exception and the Result that threw it share one Error.
  friend class Exception;
  template <typename T> friend class Result;
  Error(const Error &) noexcept = default;

  static void release(fish_error *raw) noexcept {
    fish_error_free(raw);
    delete raw;
  }

  const fish_error &raw() const noexcept {
    static const fish_error none{};
    return shared_ ? *shared_ : none;
  }

  std::shared_ptr<const fish_error> shared_;
};

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
/** What Result::value() throws. */
class Exception : public std::exception {
public:
  explicit Exception(Error &&error) noexcept : error_(std::move(error)) {}

  const char *what() const noexcept override { return error_.message().data(); }
  const Error &error() const noexcept { return error_; }
  StatusCode status() const noexcept { return error_.status(); }

private:
  Error error_;
};
#endif

/** A value or an Error, like std::expected<T, fish::Error>, for C++17. */
template <typename T> class [[nodiscard]] Result {
public:
  using value_type = T;
  using error_type = Error;

  Result(T &&value) noexcept : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error &&error) noexcept : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /** The value. Calls std::abort() if there is none; check first. */
  T &operator*() & noexcept { return *found(std::get_if<0>(&state_)); }
  const T &operator*() const & noexcept { return *found(std::get_if<0>(&state_)); }
  T &&operator*() && noexcept { return std::move(*found(std::get_if<0>(&state_))); }
  T *operator->() noexcept { return found(std::get_if<0>(&state_)); }
  const T *operator->() const noexcept { return found(std::get_if<0>(&state_)); }

  /** The Error. Calls std::abort() if there is none; check first. */
  Error &error() & noexcept { return *found(std::get_if<1>(&state_)); }
  const Error &error() const & noexcept { return *found(std::get_if<1>(&state_)); }
  Error &&error() && noexcept { return std::move(*found(std::get_if<1>(&state_))); }

  /** How the call ended: StatusCode::ok, or the error's. */
  StatusCode status() const noexcept { return has_value() ? StatusCode::ok : error().status(); }

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
  /** The value. Throws an Exception if there is none; this Result keeps the Error. */
  T &value() & { return *(throw_failure(), std::get_if<0>(&state_)); }
  const T &value() const & { return *(throw_failure(), std::get_if<0>(&state_)); }
  T &&value() && { return std::move(*(throw_failure(), std::get_if<0>(&state_))); }
  const T &&value() const && { return std::move(*(throw_failure(), std::get_if<0>(&state_))); }
#endif

private:
  template <typename Alternative> static Alternative *found(Alternative *alternative) noexcept {
    if (alternative == nullptr) {
      std::abort();
    }
    return alternative;
  }

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
  void throw_failure() const {
    if (!has_value()) {
      throw Exception(Error(error()));
    }
  }
#endif

  std::variant<T, Error> state_;
};

namespace detail {

/** An Error that this header finds before it calls C. `message` must be valid forever. */
inline Error refusal(const char *message) noexcept {
  fish_error raw{};
  raw.status = FISH_INVALID_ARGUMENT;
  raw.message = message;
  return Error(raw);
}

} // namespace detail

/**
 * Cancels calls from any thread, any number of them at once. A cancelled token stays cancelled. After a move it is
 * empty and cancels nothing.
 */
class CancelToken {
public:
  CancelToken() noexcept : raw_(fish_cancel_token_new()) {}

  /** Cancels every call with this token, current and future. Takes no lock and allocates nothing. */
  void cancel() const noexcept { fish_cancel_token_cancel(raw_.get()); }

  /** The token for C. This object still owns it. */
  fish_cancel_token *get() const noexcept { return raw_.get(); }

private:
  detail::Owned<fish_cancel_token> raw_;
};

/** The options of a client. Fields that are not set have their default. */
struct ClientOptions {
  // Generated from src/ffi: the fields of fish_client_options.
  /**
   * The secret API key. None: the environment variable FISH_API_KEY. Sent only to base_url's host; this
   * string is yours to wipe.
   */
  std::optional<std::string> api_key{};
  /**
   * The API's address. None: "https://api.fish.audio". It may have a port and a path, but no user, query or
   * fragment. Plain http:// is allowed for loopback hosts only.
   */
  std::optional<std::string> base_url{};
  /**
   * "http://[user:password@]host:port" or "socks5://...". "": no proxy. None: the environment variables
   * HTTPS_PROXY, ALL_PROXY and NO_PROXY, which are ignored if base_url is a loopback host. For such a host,
   * only a proxy on a loopback host is allowed.
   */
  std::optional<std::string> proxy_url{};
  /** The path of a PEM file with the certificates to trust, and no others. None: see tls_roots. */
  std::optional<std::string> ca_file{};
  /** Prepended to the library's own User-Agent, such as "studio/2.1". None: "fish-api-credit/0.1.0" alone. */
  std::optional<std::string> user_agent{};
  /** For a whole call: resolving, connecting, retries and the waits between them. 0: 15 s. */
  std::chrono::milliseconds timeout{0};
  /** For one connection attempt, TLS included. 0: 5 s. */
  std::chrono::milliseconds connect_timeout{0};
  /** How many times a failed request is retried. None: 2 times. 0: never. */
  std::optional<std::uint32_t> max_retries{};
  /** FISH_TLS_ROOTS_BUNDLED or FISH_TLS_ROOTS_SYSTEM. */
  std::int32_t tls_roots = FISH_TLS_ROOTS_BUNDLED;
  // End of the generated part.
};

/** Which wallet to read, and how. Fields that are not set have their default. */
struct Query {
  /** The wallet's owner. None: "self", the key's own account. */
  std::optional<std::string> user_id{};
  /** The team whose API credit to read; it is separate from the account's. None: the account's own. */
  std::optional<std::string> team_id{};
  /** Whether to ask for has_free_credit too. */
  bool check_free_credit = false;
  /** For this whole call. 0: the client's. */
  std::chrono::milliseconds timeout{0};
  /** Cancels this call from another thread. It must live until the call has started. */
  const CancelToken *cancel = nullptr;
};

/**
 * The API credit of one wallet, which API calls spend: the account's own, or a team's if Query::team_id names one. It
 * is not the platform credit of a plan. After a move it is empty.
 */
class ApiCredit {
public:
  /** Takes ownership of a struct that a C function filled. */
  explicit ApiCredit(const fish_api_credit &raw) noexcept : raw_(raw) {}

  /** Decodes a document saved from an earlier Client::get_api_credit_json. Does not use the network. */
  static Result<ApiCredit> from_json(std::string_view json) noexcept {
    fish_api_credit raw;
    fish_error error;
    // The pointer of an empty view may be NULL, which C rejects.
    const char *text = json.data() == nullptr ? "" : json.data();
    if (fish_api_credit_from_json(text, json.size(), &raw, &error) != FISH_OK) {
      return Error(error);
    }
    return ApiCredit(raw);
  }

  // Generated from src/ffi: the fields of fish_api_credit.
  /** The wallet's id ("_id"). */
  std::string_view id() const noexcept { return view(raw_->id); }
  /** The account's id. */
  std::string_view user_id() const noexcept { return view(raw_->user_id); }
  /** The balance as exact decimal text, as sent, presumably in US dollars. May be negative. */
  std::string_view credit() const noexcept { return view(raw_->credit); }
  /** The total ever paid in, as decimal text. None if the server did not send it. */
  std::optional<std::string_view> cumulative_top_up() const noexcept {
    return detail::text_or_none(raw_->cumulative_top_up);
  }
  /** When the wallet was created, as sent (RFC 3339). */
  std::string_view created_at_text() const noexcept { return view(raw_->created_at); }
  /** When the wallet last changed, as sent (RFC 3339). */
  std::string_view updated_at_text() const noexcept { return view(raw_->updated_at); }
  /**
   * The server's id for this request (x-fish-trace-id, else cf-ray), to quote to its support. None if the
   * server did not send one, or after ApiCredit::from_json.
   */
  std::optional<std::string_view> request_id() const noexcept { return detail::text_or_none(raw_->request_id); }
  /** credit x 1,000,000, rounded down (never overstated), saturating. */
  std::int64_t credit_micros() const noexcept { return raw_->credit_micros; }
  /** cumulative_top_up x 1,000,000, likewise. None if the server did not send it. */
  std::optional<std::int64_t> cumulative_top_up_micros() const noexcept {
    return detail::if_set(raw_->cumulative_top_up, raw_->cumulative_top_up_micros);
  }
  /** When the wallet was created; none if created_at_text() is not an RFC 3339 time. */
  std::optional<Time> created_at() const noexcept { return detail::time(raw_->created_at_unix_us); }
  /** When the wallet last changed; none if updated_at_text() is not an RFC 3339 time. */
  std::optional<Time> updated_at() const noexcept { return detail::time(raw_->updated_at_unix_us); }
  /** False if credit_micros was rounded or saturated. The text is always exact. */
  bool credit_micros_exact() const noexcept { return raw_->credit_micros_exact; }
  /** Whether the account has a phone number. None: absent or null. */
  std::optional<bool> has_phone_sha256() const noexcept { return detail::flag(raw_->has_phone_sha256); }
  /** Whether free credit is left. None: absent or null, as it is without Query::check_free_credit. */
  std::optional<bool> has_free_credit() const noexcept { return detail::flag(raw_->has_free_credit); }
  // End of the generated part.

private:
  static std::string_view view(const char *text) noexcept { return text == nullptr ? "" : text; }

  detail::Filled<fish_api_credit, fish_api_credit_free> raw_;
};

/** The server's JSON document, exactly as sent. After a move it is empty. */
class JsonText {
public:
  /** Takes ownership of a string from fish_get_api_credit_json. */
  explicit JsonText(char *raw) noexcept : raw_(raw) {}

  std::string_view view() const noexcept { return c_str(); }
  const char *c_str() const noexcept { return raw_ == nullptr ? "" : raw_.get(); }

private:
  detail::Owned<char> raw_;
};

/**
 * A call that runs in the background, on a thread of the library, for event loops and UI threads. Start one with
 * Client::start_call. The destructor cancels the call and never waits. After a move it is done, with
 * StatusCode::invalid_argument.
 */
class Call {
public:
  /** Returns whether result() is available. Never waits. */
  bool done() const noexcept { return fish_call_is_done(raw_.get()); }

  /** Waits until the call is done, for at most `duration`. Returns whether it is. */
  template <typename Rep, typename Period>
  bool wait_for(const std::chrono::duration<Rep, Period> &duration) const noexcept {
    return fish_call_wait(raw_.get(), detail::milliseconds(duration)) != FISH_PENDING;
  }

  /**
   * A descriptor for an event loop, readable (POLLIN) once the call is done. On Windows a SOCKET. Never read or close
   * it. -1: none was available; check done() instead.
   */
  std::intptr_t descriptor() const noexcept { return fish_call_descriptor(raw_.get()); }

  /** The call's result, any number of times, as from Client::get_api_credit; StatusCode::pending while it runs. */
  Result<ApiCredit> result() const noexcept {
    fish_api_credit credit;
    fish_error error;
    if (fish_call_result(raw_.get(), &credit, &error) != FISH_OK) {
      return Error(error);
    }
    return ApiCredit(credit);
  }

  /** The call's result as JSON, any number of times, as from Client::get_api_credit_json. */
  Result<JsonText> result_json() const noexcept {
    char *json;
    fish_error error;
    if (fish_call_result_json(raw_.get(), &json, &error) != FISH_OK) {
      return Error(error);
    }
    return JsonText(json);
  }

  /**
   * For coroutines: `co_await call.on(loop)` returns result() on your event loop's thread. `loop(descriptor, resume)`
   * must make your loop call `resume()` once, when the descriptor is readable. Without a descriptor, the wait blocks.
   * The call must outlive the wait.
   */
  template <typename Loop> auto on(Loop loop) const noexcept { return Awaiter<Loop>{*this, std::move(loop)}; }

private:
  template <typename Loop> struct Awaiter {
    const Call &call;
    Loop loop;

    bool await_ready() const noexcept { return call.done() || call.descriptor() == -1; }
    template <typename Handle> void await_suspend(Handle handle) { loop(call.descriptor(), handle); }
    Result<ApiCredit> await_resume() const noexcept {
      while (!call.wait_for(std::chrono::hours(1))) {
      }
      return call.result();
    }
  };

  friend class Client;
  explicit Call(fish_call *raw) noexcept : raw_(raw) {}

  detail::Owned<fish_call> raw_;
};

/** The options of a watch. Fields that are not set have their default. */
struct WatchOptions {
  /** Between two readings, plus or minus 5 %. 0: 60 s. Below 1 s is invalid. */
  std::chrono::milliseconds interval{0};
  /** A credit below this is Level::low. 0: no such level. */
  std::int64_t low_micros = 0;
  /** After Level::low or empty, the level returns to Level::ok only at or above this. 0: low_micros. */
  std::int64_t recovered_micros = 0;
};

/**
 * Reads the credit periodically on a thread of the library, and keeps the last good reading. Start one with
 * Client::start_watch. The destructor ends the watch and never waits. After a move it is empty.
 */
class Watch {
public:
  /** The state of a watch. After a move it is empty. */
  class State {
  public:
    /** The last credit that was read, if one was. A failure never replaces it. */
    const std::optional<ApiCredit> &credit() const noexcept { return credit_; }
    /** The level of that credit. */
    Level level() const noexcept { return static_cast<Level>(raw_->level); }
    /** How the latest reading ended. StatusCode::pending: none has yet. StatusCode::cancelled: the watch has ended. */
    StatusCode status() const noexcept { return static_cast<StatusCode>(raw_->status); }
    /** Why the latest reading failed, if it did. */
    const std::optional<Error> &error() const noexcept { return error_; }
    /** How many readings in a row failed. */
    std::uint32_t failures() const noexcept { return raw_->failures; }
    /** Until the next reading starts. 0: it has started. None: never. */
    std::optional<std::chrono::milliseconds> next() const noexcept {
      return raw_->next_ms == (std::numeric_limits<std::uint32_t>::max)()
                 ? std::nullopt
                 : std::optional<std::chrono::milliseconds>(std::chrono::milliseconds(raw_->next_ms));
    }
    /** Since the credit was read, including time asleep. None if there is no credit. */
    std::optional<std::chrono::milliseconds> age() const noexcept {
      constexpr std::uint64_t most = (std::numeric_limits<std::int64_t>::max)();
      return credit_ ? std::optional<std::chrono::milliseconds>(std::chrono::milliseconds(
                           static_cast<std::int64_t>(raw_->age_ms < most ? raw_->age_ms : most)))
                     : std::nullopt;
    }
    /** Increases by one whenever the credit's text, the level or the status changes. */
    std::uint64_t changes() const noexcept { return raw_->changes; }

  private:
    friend class Watch;
    State() noexcept = default;

    std::optional<ApiCredit> credit_;
    std::optional<Error> error_;
    /** The rest; its credit has moved into credit_. */
    detail::Filled<fish_watch_state, fish_watch_state_free> raw_;
  };

  /** Returns the state. The descriptor is then not readable until something changes again. Never waits. */
  State read() const noexcept {
    State state;
    fish_watch_state &raw = state.raw_.raw;
    fish_error error;
    raw.status = fish_watch_read(raw_.get(), &raw, &error);
    if (raw.credit.credit != nullptr) {
      state.credit_.emplace(ApiCredit(std::exchange(raw.credit, {})));
    }
    if (error.status != FISH_OK) {
      state.error_.emplace(Error(error));
    }
    return state;
  }

  /** Starts a reading now, for example after a purchase. Several at once cause one reading. Never waits. */
  void refresh() const noexcept { fish_watch_refresh(raw_.get()); }

  /**
   * A descriptor for an event loop, readable (POLLIN) when something has changed since the last read(). On Windows a
   * SOCKET. Never read or close it. -1: none was available; call read() from time to time instead.
   */
  std::intptr_t descriptor() const noexcept { return fish_watch_descriptor(raw_.get()); }

private:
  friend class Client;
  explicit Watch(fish_watch *raw) noexcept : raw_(raw) {}

  detail::Owned<fish_watch> raw_;
};

/**
 * A client holds connections, TLS state and options. Create one and keep it. Any number of threads may use one client
 * at once. The destructor cancels its calls and watches, and never waits for them; no call may start afterwards. After
 * a move it is empty: a call fails with StatusCode::invalid_argument.
 */
class Client {
public:
  /** Creates a client. Sends nothing: the first call reports a wrong key. */
  static Result<Client> create(const ClientOptions &options = {}) noexcept {
    fish_client_options raw{};
    if (const char *wrong = read(options, raw)) {
      return detail::refusal(wrong);
    }
    fish_client *client;
    fish_error error;
    if (fish_client_new(&raw, &client, &error) != FISH_OK) {
      return Error(error);
    }
    return Client(client);
  }

  /** Cancels every call with this client, current and future. Takes no lock and allocates nothing. */
  void cancel() const noexcept { fish_client_cancel(raw_.get()); }

  /** Reads an account's API credit. Returns within the timeout, whatever the network does. Blocks. */
  Result<ApiCredit> get_api_credit(const Query &query = {}) const noexcept {
    fish_api_credit_query raw{};
    fish_api_credit credit;
    fish_error error;
    if (const char *wrong = read(query, raw)) {
      return detail::refusal(wrong);
    }
    if (fish_get_api_credit(raw_.get(), &raw, &credit, &error) != FISH_OK) {
      return Error(error);
    }
    return ApiCredit(credit);
  }

  /** Like get_api_credit(), but returns the server's JSON document: exactly the bytes sent. Blocks. */
  Result<JsonText> get_api_credit_json(const Query &query = {}) const noexcept {
    fish_api_credit_query raw{};
    char *json;
    fish_error error;
    if (const char *wrong = read(query, raw)) {
      return detail::refusal(wrong);
    }
    if (fish_get_api_credit_json(raw_.get(), &raw, &json, &error) != FISH_OK) {
      return Error(error);
    }
    return JsonText(json);
  }

  /** Starts a call in the background. Never waits. */
  Result<Call> start_call(const Query &query = {}) const noexcept {
    fish_api_credit_query raw{};
    fish_call *call;
    fish_error error;
    if (const char *wrong = read(query, raw)) {
      return detail::refusal(wrong);
    }
    if (fish_call_start(raw_.get(), &raw, &call, &error) != FISH_OK) {
      return Error(error);
    }
    return Call(call);
  }

  /** Starts a watch. The query's timeout applies to each reading. Never waits. */
  Result<Watch> start_watch(const WatchOptions &options = {}, const Query &query = {}) const noexcept {
    fish_api_credit_query raw{};
    fish_watch_options how{};
    fish_watch *watch;
    fish_error error;
    if (const char *wrong = read(query, raw)) {
      return detail::refusal(wrong);
    }
    if (options.interval.count() < 0) {
      return detail::refusal("options.interval is negative; pass 0 for the default.");
    }
    how.interval_ms = detail::milliseconds(options.interval);
    how.low_micros = options.low_micros;
    how.recovered_micros = options.recovered_micros;
    if (fish_watch_start(raw_.get(), &raw, &how, &watch, &error) != FISH_OK) {
      return Error(error);
    }
    return Watch(watch);
  }

private:
  explicit Client(fish_client *raw) noexcept : raw_(raw) {}

  /** In C, 0 means the default and -1 no retries. */
  static std::int32_t retries(std::optional<std::uint32_t> retries) noexcept {
    constexpr std::uint32_t most = (std::numeric_limits<std::int32_t>::max)();
    if (!retries) {
      return 0;
    }
    return *retries == 0 ? -1 : static_cast<std::int32_t>(*retries < most ? *retries : most);
  }

  /** Fills the options for C; returns what is wrong with them, or nullptr. */
  static const char *read(const ClientOptions &options, fish_client_options &raw) noexcept {
    // Generated from src/ffi: how fish_client_options are filled.
    if (detail::has_nul(options.api_key)) {
      return "options.api_key contains a NUL character; remove it.";
    }
    if (detail::has_nul(options.base_url)) {
      return "options.base_url contains a NUL character; remove it.";
    }
    if (detail::has_nul(options.proxy_url)) {
      return "options.proxy_url contains a NUL character; remove it.";
    }
    if (detail::has_nul(options.ca_file)) {
      return "options.ca_file contains a NUL character; remove it.";
    }
    if (detail::has_nul(options.user_agent)) {
      return "options.user_agent contains a NUL character; remove it.";
    }
    if (options.timeout.count() < 0) {
      return "options.timeout is negative; pass 0 for the default.";
    }
    if (options.connect_timeout.count() < 0) {
      return "options.connect_timeout is negative; pass 0 for the default.";
    }
    raw.api_key = detail::pointer(options.api_key);
    raw.base_url = detail::pointer(options.base_url);
    raw.proxy_url = detail::pointer(options.proxy_url);
    raw.ca_file = detail::pointer(options.ca_file);
    raw.user_agent = detail::pointer(options.user_agent);
    raw.timeout_ms = detail::milliseconds(options.timeout);
    raw.connect_timeout_ms = detail::milliseconds(options.connect_timeout);
    raw.max_retries = retries(options.max_retries);
    raw.tls_roots = options.tls_roots;
    // End of the generated part.
    return nullptr;
  }

  /** Fills the query for C; returns what is wrong with it, or nullptr. */
  static const char *read(const Query &query, fish_api_credit_query &raw) noexcept {
    if (detail::has_nul(query.user_id)) {
      return "query.user_id contains a NUL character; remove it.";
    }
    if (detail::has_nul(query.team_id)) {
      return "query.team_id contains a NUL character; remove it.";
    }
    if (query.timeout.count() < 0) {
      return "query.timeout is negative; pass 0 for the client's.";
    }
    raw.user_id = detail::pointer(query.user_id);
    raw.team_id = detail::pointer(query.team_id);
    raw.check_free_credit = query.check_free_credit;
    raw.timeout_ms = detail::milliseconds(query.timeout);
    raw.cancel = query.cancel == nullptr ? nullptr : query.cancel->get();
    return nullptr;
  }

  detail::Owned<fish_client> raw_;
};

} // namespace fish

#endif // C++17

#endif // FISH_API_CREDIT_HPP
