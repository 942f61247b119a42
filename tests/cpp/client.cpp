// The whole of fish_api_credit.hpp against a server on loopback (argument 1, see tests/support/routes.rs), with
// exceptions and without. It prints what was wrong, and fails.

#include "fish_api_credit.hpp"

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#ifndef _WIN32
#include <poll.h>
#endif
#if __cplusplus >= 202002L && __has_include(<coroutine>)
#include <coroutine>
#endif

using namespace std::chrono_literals;

static int failures = 0;

static void check(bool good, const char *what, int line) {
  if (!good) {
    std::fprintf(stderr, "client.cpp:%d: %s\n", line, what);
    ++failures;
  }
}
#define CHECK(condition) check((condition), #condition, __LINE__)

std::size_t other_unit();

// Owners move and do not copy, and a move cannot throw.
template <typename Owner>
constexpr bool moves_only = std::is_nothrow_move_constructible_v<Owner> && std::is_nothrow_move_assignable_v<Owner> &&
                            !std::is_copy_constructible_v<Owner> && !std::is_copy_assignable_v<Owner>;
static_assert(moves_only<fish::Client>);
static_assert(moves_only<fish::Call>);
static_assert(moves_only<fish::Watch>);
static_assert(moves_only<fish::Watch::State>);
static_assert(moves_only<fish::ApiCredit>);
static_assert(moves_only<fish::JsonText>);
static_assert(moves_only<fish::CancelToken>);
static_assert(moves_only<fish::Error>);
static_assert(std::is_nothrow_move_constructible_v<fish::Result<fish::Client>>);
#if __cplusplus >= 202002L
static_assert(std::is_same_v<fish::Time, std::chrono::sys_time<std::chrono::microseconds>>);
#endif

static fish::Client client_for(const std::string &base_url) {
  fish::ClientOptions options;
  options.api_key = "secret-1";
  options.base_url = base_url;
  options.max_retries = 0;
  auto client = fish::Client::create(options);
  if (!client) {
    std::fprintf(stderr, "%s\n", client.error().message().data());
    std::abort();
  }
  return *std::move(client);
}

static void a_credit_with_every_field(const std::string &server) {
  const fish::Client client = client_for(server + "/ok");
  const auto credit = client.get_api_credit();
  CHECK(credit.has_value() && credit.status() == fish::StatusCode::ok);
  CHECK(credit->id() == "0123456789abcdef0123456789abcdef");
  CHECK(credit->user_id() == "fedcba9876543210fedcba9876543210");
  CHECK(credit->credit() == "12.345678" && credit->credit_micros() == 12345678 && credit->credit_micros_exact());
  CHECK(credit->cumulative_top_up() == "20.00" && credit->cumulative_top_up_micros() == 20000000);
  CHECK(credit->created_at_text() == "2025-01-02T03:04:05Z");
  CHECK(credit->created_at() == fish::Time(std::chrono::microseconds(1735787045000000)));
  CHECK(credit->updated_at_text() == "2026-08-01T12:34:56.789012Z");
  CHECK(credit->updated_at() == fish::Time(std::chrono::microseconds(1785587696789012)));
  CHECK(credit->has_phone_sha256() == true);
  CHECK(credit->has_free_credit() == std::nullopt);
}

static void a_query_is_sent_as_it_is_set(const std::string &server) {
  const fish::Client client = client_for(server + "/echo");
  fish::Query query;
  query.user_id = "a/b";
  query.team_id = "t";
  query.check_free_credit = true;
  query.timeout = 10s;
  CHECK(client.get_api_credit(query)->id() == "/echo/wallet/a%2Fb/api-credit?check_free_credit=true&team_id=t");
  CHECK(client.get_api_credit()->id() == "/echo/wallet/self/api-credit");
#if __cplusplus >= 202002L
  CHECK(client.get_api_credit({.user_id = "u"})->id() == "/echo/wallet/u/api-credit");
#endif
}

static void a_document_is_as_sent_and_decodes_again(const std::string &server) {
  const fish::Client client = client_for(server + "/ok");
  const auto json = client.get_api_credit_json();
  CHECK(json && json->view().substr(0, 7) == "{\"_id\":" && json->view() == json->c_str());
  CHECK(fish::ApiCredit::from_json(json->view())->credit() == "12.345678");

  // A view need not end in NUL, and what is missing is missing.
  const std::string_view bare = R"({"_id":"i","user_id":"u","credit":"-0.0000001","created_at":"?","updated_at":"?"}!)";
  const auto credit = fish::ApiCredit::from_json(bare.substr(0, bare.size() - 1));
  CHECK(credit && credit->credit_micros() == -1 && !credit->credit_micros_exact());
  CHECK(!credit->cumulative_top_up() && !credit->cumulative_top_up_micros());
  CHECK(!credit->created_at() && credit->created_at_text() == "?");
  CHECK(!credit->updated_at() && !credit->has_phone_sha256() && !credit->request_id());

  CHECK(fish::ApiCredit::from_json(bare).status() == fish::StatusCode::bad_response);
  CHECK(fish::ApiCredit::from_json({}).status() == fish::StatusCode::bad_response);
}

static void an_error_tells_all(const std::string &server) {
  const auto refused = client_for(server + "/401").get_api_credit();
  CHECK(!refused && refused.status() == fish::StatusCode::unauthorized);
  const fish::Error &error = refused.error();
  CHECK(error.http_status() == 401 && error.attempts() == 1 && !error.retryable());
  CHECK(error.api_message() == "bad key" && error.api_reason() == "key" && error.request_id() == "trace-401");
  CHECK(error.body() && !error.message().empty() && !error.retry_after());
  CHECK(error.field_errors().empty() && error.field_errors().begin() == error.field_errors().end());

  const auto down = client_for(server + "/503").get_api_credit_json();
  CHECK(down.status() == fish::StatusCode::server_error && down.error().retryable());
  CHECK(down.error().retry_after() == 7s && down.error().body() == "down for a moment");

  const auto nobody = client_for("http://127.0.0.1:1").get_api_credit();
  CHECK(nobody.status() == fish::StatusCode::connect_failed && !nobody.error().http_status());

  const auto invalid = client_for(server + "/422").get_api_credit();
  CHECK(invalid.status() == fish::StatusCode::validation_failed);
  const auto fields = invalid.error().field_errors();
  CHECK(fields.size() == 2 && fields[1].location == "path.0" && !fields[1].source && !fields[1].context);
  std::string all;
  for (const fish::FieldError &field : fields) {
    all.append(field.location).append(" ").append(field.type).append(" ").append(field.message).append(";");
  }
  CHECK(all == "query.check_free_credit bool_parsing Input should be a valid boolean;path.0 missing Field required;");
  CHECK(fields[0].source == "query" && fields[0].context.has_value());
}

static void what_c_could_not_be_told_is_refused(const std::string &server) {
  const std::string nul("a\0b", 3);
  std::optional<std::string> fish::ClientOptions::*texts[] = {
      &fish::ClientOptions::api_key, &fish::ClientOptions::base_url, &fish::ClientOptions::proxy_url,
      &fish::ClientOptions::ca_file, &fish::ClientOptions::user_agent};
  for (auto text : texts) {
    fish::ClientOptions options;
    options.api_key = "secret-1";
    options.*text = nul;
    const auto client = fish::Client::create(options);
    CHECK(client.status() == fish::StatusCode::invalid_argument);
    CHECK(client.error().message().find("NUL") != std::string_view::npos);
  }
  fish::ClientOptions options;
  options.api_key = "secret-1";
  options.connect_timeout = -1ms;
  CHECK(fish::Client::create(options).status() == fish::StatusCode::invalid_argument);

  const fish::Client client = client_for(server + "/ok");
  fish::Query user, team, late;
  user.user_id = nul;
  team.team_id = nul;
  late.timeout = -1ms;
  for (const fish::Query *query : {&user, &team, &late}) {
    CHECK(client.get_api_credit(*query).status() == fish::StatusCode::invalid_argument);
    CHECK(client.get_api_credit_json(*query).status() == fish::StatusCode::invalid_argument);
  }
  // Longer than C can say is as long as C can say, not the remainder: 2^32 ms would be none at all.
  fish::Query patient;
  patient.timeout = std::chrono::milliseconds(std::int64_t{1} << 32);
  CHECK(client.get_api_credit(patient).has_value());
}

static void a_call_ends_at_its_timeout_and_when_it_is_cancelled(const std::string &server) {
  const fish::Client client = client_for(server + "/stall");
  fish::Query query;
  query.timeout = 50ms;
  CHECK(client.get_api_credit(query).status() == fish::StatusCode::timed_out);

  fish::CancelToken token;
  query.timeout = 60s;
  query.cancel = &token;
  const auto begun = std::chrono::steady_clock::now();
  std::thread canceller([&token] { token.cancel(); });
  CHECK(client.get_api_credit(query).status() == fish::StatusCode::cancelled);
  canceller.join();
  CHECK(std::chrono::steady_clock::now() - begun < 30s);

  client.cancel();
  CHECK(client.get_api_credit().status() == fish::StatusCode::cancelled);
}

#ifndef _WIN32
/** What an event loop does with a descriptor. */
static bool readable(std::intptr_t descriptor, int milliseconds) {
  pollfd watched{};
  watched.fd = static_cast<int>(descriptor);
  watched.events = POLLIN;
  return poll(&watched, 1, milliseconds) == 1 && (watched.revents & POLLIN) != 0;
}
#endif

static void a_call_in_the_background_gives_what_a_blocking_one_does(const std::string &server) {
  const fish::Client client = client_for(server + "/echo");
  fish::Query query;
  query.user_id = "u";
  const auto call = client.start_call(query);
  CHECK(call.has_value() && call->descriptor() >= 3);
  CHECK(call->wait_for(30s) && call->done() && call->wait_for(0s) && call->wait_for(-1s));
#ifndef _WIN32
  CHECK(readable(call->descriptor(), 0));
#endif
  for (int time = 0; time < 2; ++time) {
    CHECK(call->result()->id() == "/echo/wallet/u/api-credit");
    CHECK(fish::ApiCredit::from_json(call->result_json()->view())->id() == "/echo/wallet/u/api-credit");
  }

  const auto stranded = client_for(server + "/stall").start_call();
  CHECK(stranded.has_value()); // Its client is gone, which cancelled it.
  CHECK(stranded->wait_for(std::chrono::hours::max()) && stranded->result().status() == fish::StatusCode::cancelled);

  query.user_id = std::string("a\0b", 3);
  CHECK(client.start_call(query).status() == fish::StatusCode::invalid_argument);
  CHECK(client.start_watch({}, query).status() == fish::StatusCode::invalid_argument);
  query.user_id = "..";
  CHECK(client.start_call(query).status() == fish::StatusCode::invalid_argument);
}

static void a_call_in_the_background_is_pending_until_it_is_done(const std::string &server) {
  const fish::Client client = client_for(server + "/stall");
  auto call = client.start_call();
  CHECK(!call->done() && !call->wait_for(0s) && !call->wait_for(1us));
  CHECK(call->result().status() == fish::StatusCode::pending);
  CHECK(call->result_json().status() == fish::StatusCode::pending);
#ifndef _WIN32
  CHECK(!readable(call->descriptor(), 0));
#endif
  const fish::Call kept = *std::move(call);
  CHECK(call->done() && call->wait_for(1h) && call->descriptor() == -1);
  CHECK(call->result().status() == fish::StatusCode::invalid_argument);
  CHECK(!kept.done());
  client.cancel();
  CHECK(kept.wait_for(30s) && kept.result().status() == fish::StatusCode::cancelled);
}

static void a_watch_has_the_last_credit_at_hand(const std::string &server) {
  const fish::Client client = client_for(server + "/ok");
  fish::WatchOptions options;
  options.interval = 1h;
  options.low_micros = 13000000;
  auto started = client.start_watch(options);
  CHECK(started.has_value() && started->descriptor() >= 3);
  fish::Watch watch = *std::move(started);
  fish::Watch::State state = watch.read();
  for (int tries = 0; state.status() == fish::StatusCode::pending && tries < 3000; ++tries) {
#ifdef _WIN32
    std::this_thread::sleep_for(10ms);
#else
    CHECK(readable(watch.descriptor(), 30000));
#endif
    state = watch.read();
  }
  CHECK(state.status() == fish::StatusCode::ok && !state.error() && state.failures() == 0 && state.changes() == 1);
  CHECK(state.credit() && state.credit()->credit() == "12.345678" && state.level() == fish::Level::low);
  CHECK(state.age() && *state.age() < 1h && state.next() && *state.next() <= 63min && *state.next() > 30min);
#ifndef _WIN32
  CHECK(!readable(watch.descriptor(), 0)); // read() made it silent
#endif
  const fish::Watch::State kept = std::move(state);
  CHECK(kept.credit()->user_id() == "fedcba9876543210fedcba9876543210" && kept.changes() == 1);
  watch.refresh();

  const fish::Watch moved = std::move(watch);
  CHECK(watch.read().status() == fish::StatusCode::invalid_argument && watch.descriptor() == -1);
  watch.refresh();
  CHECK(moved.read().credit()->credit() == "12.345678");

  options.interval = -1s;
  CHECK(client.start_watch(options).status() == fish::StatusCode::invalid_argument);
  options.interval = 1ms;
  CHECK(client.start_watch(options).status() == fish::StatusCode::invalid_argument);
}

static void a_watch_says_why_it_knows_nothing(const std::string &server) {
  const fish::Client client = client_for(server + "/401");
  const auto watch = client.start_watch();
  fish::Watch::State state = watch->read();
  for (int tries = 0; state.status() == fish::StatusCode::pending && tries < 3000; ++tries) {
    CHECK(!state.credit() && !state.age() && !state.error() && state.level() == fish::Level::unknown);
    std::this_thread::sleep_for(10ms);
    state = watch->read();
  }
  CHECK(state.status() == fish::StatusCode::unauthorized && state.failures() == 1 && !state.credit());
  CHECK(state.error() && state.error()->api_message() == "bad key");
  client.cancel();
  // Its thread is told, and says so before long.
  for (int tries = 0; state.status() != fish::StatusCode::cancelled && tries < 3000; ++tries) {
    std::this_thread::sleep_for(10ms);
    state = watch->read();
  }
  CHECK(state.status() == fish::StatusCode::cancelled && !state.next());
}

#if defined(__cpp_impl_coroutine) && !defined(_WIN32)
/** The least that a coroutine may return: it starts at once, and nobody waits for its end. */
struct Task {
  struct promise_type {
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::abort(); }
  };
};

/** An event loop that waits for one descriptor. */
struct Loop {
  std::intptr_t descriptor = -1;
  std::coroutine_handle<> resume;
};

static Task ask(const fish::Client &client, Loop &loop, std::string &shown) {
  const auto wait = [&loop](std::intptr_t descriptor, std::coroutine_handle<> resume) { loop = {descriptor, resume}; };
  const auto credit = co_await client.start_call()->on(wait);
  shown = credit ? credit->credit() : credit.error().message();
}
#endif

static void a_coroutine_waits_on_the_programs_own_loop(const std::string &server) {
#if defined(__cpp_impl_coroutine) && !defined(_WIN32)
  const fish::Client client = client_for(server + "/ok");
  Loop loop;
  std::string shown;
  ask(client, loop, shown);
  if (loop.resume) { // else it was done at once
    CHECK(shown.empty() && readable(loop.descriptor, 30000));
    loop.resume();
  }
  CHECK(shown == "12.345678");
#else
  static_cast<void>(server);
#endif
}

static void what_is_moved_from_is_empty_and_harmless(const std::string &server) {
  fish::Client client = client_for(server + "/ok");
  fish::Client other = client_for(server + "/401");
  other = std::move(client);
  CHECK(other.get_api_credit().has_value());
  CHECK(client.get_api_credit().status() == fish::StatusCode::invalid_argument);
  client = client_for(server + "/ok");
  CHECK(client.get_api_credit().has_value());

  fish::ApiCredit credit = *client.get_api_credit();
  const fish::ApiCredit kept = std::move(credit);
  CHECK(kept.credit() == "12.345678" && credit.credit().empty() && !credit.cumulative_top_up());

  fish::JsonText json = *client.get_api_credit_json();
  json = *client.get_api_credit_json();
  const fish::JsonText document = std::move(json);
  CHECK(!document.view().empty() && json.view().empty());

  auto failed = client_for(server + "/401").get_api_credit();
  fish::Error error = std::move(failed).error();
  CHECK(error.api_message() == "bad key" && failed.error().message().empty());
  CHECK(failed.error().status() == fish::StatusCode::ok && failed.error().field_errors().empty());
  error = std::move(client_for(server + "/503").get_api_credit().error());
  CHECK(error.body() == "down for a moment");

  fish::CancelToken first;
  fish::CancelToken second = std::move(first);
  first.cancel();
  first = std::move(second);
  CHECK(first.get() != nullptr && second.get() == nullptr);
}

static void a_failure_can_be_thrown(const std::string &server) {
#if defined(__cpp_exceptions)
  const fish::ApiCredit credit = client_for(server + "/ok").get_api_credit().value();
  CHECK(credit.credit() == "12.345678");
  auto kept = client_for(server + "/ok").get_api_credit();
  CHECK(kept.value().credit() == "12.345678");
  bool caught = false;
  try {
    const fish::Client client = client_for(server + "/401");
    static_cast<void>(client.get_api_credit().value());
  } catch (const fish::Exception &exception) {
    const fish::Exception copy = exception;
    CHECK(copy.status() == fish::StatusCode::unauthorized && copy.error().api_message() == "bad key");
    CHECK(std::string_view(copy.what()) == exception.error().message());
    caught = true;
  }
  CHECK(caught);

  // However it is asked, and however often, a failure stays what it is.
  auto refused = client_for(server + "/401").get_api_credit();
  const auto &as_const = refused;
  const auto stays = [&](auto ask) {
    bool thrown = false;
    try {
      ask();
    } catch (const fish::Exception &exception) {
      thrown = exception.status() == fish::StatusCode::unauthorized && exception.error().api_message() == "bad key";
    }
    CHECK(thrown);
    CHECK(!refused && refused.status() == fish::StatusCode::unauthorized);
    CHECK(refused.error().api_message() == "bad key" && !refused.error().message().empty());
  };
  stays([&] { static_cast<void>(refused.value()); });
  stays([&] { static_cast<void>(as_const.value()); });
  stays([&] { static_cast<void>(std::move(refused).value()); });
  stays([&] { static_cast<void>(std::move(as_const).value()); });

  const auto constant = client_for(server + "/ok").get_api_credit();
  static_assert(std::is_same_v<decltype(constant.value()), const fish::ApiCredit &>);
  static_assert(std::is_same_v<decltype(kept.value()), fish::ApiCredit &>);
  static_assert(std::is_same_v<decltype(std::move(kept).value()), fish::ApiCredit &&>);
  static_assert(std::is_nothrow_copy_constructible_v<fish::Exception>);
  CHECK(constant.value().credit() == "12.345678");
#else
  static_cast<void>(server);
#endif
}

static void the_library_names_itself() {
  CHECK(fish::version() == FISH_VERSION && fish::is_compatible());
  CHECK(fish::status_name(fish::StatusCode::timed_out) == "FISH_TIMED_OUT");
  CHECK(fish::status_name(static_cast<fish::StatusCode>(-7)) == "FISH_UNKNOWN_STATUS");
  CHECK(fish::format_micros(12345678, 2) == "12.34" && fish::format_micros(-1, 9) == "-0.000001");
  CHECK(other_unit() == fish::version().size());
}

int main(int count, char **arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: client URL\n");
    return 2;
  }
  const std::string server = arguments[1];
  a_credit_with_every_field(server);
  a_query_is_sent_as_it_is_set(server);
  a_document_is_as_sent_and_decodes_again(server);
  an_error_tells_all(server);
  what_c_could_not_be_told_is_refused(server);
  a_call_ends_at_its_timeout_and_when_it_is_cancelled(server);
  a_call_in_the_background_gives_what_a_blocking_one_does(server);
  a_call_in_the_background_is_pending_until_it_is_done(server);
  a_watch_has_the_last_credit_at_hand(server);
  a_watch_says_why_it_knows_nothing(server);
  a_coroutine_waits_on_the_programs_own_loop(server);
  what_is_moved_from_is_empty_and_harmless(server);
  a_failure_can_be_thrown(server);
  the_library_names_itself();
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
