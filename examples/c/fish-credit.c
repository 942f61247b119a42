/*
 * fish-credit - show a Fish Audio account's API credit, once or whenever it changes.
 *
 * A complete use of fish_api_credit.h: create a client, read or watch the credit, and show the result or the error.
 * The key is read only from the environment, so that it never appears in a process list.
 *
 *     cc -Iinclude examples/c/fish-credit.c -lfish_api_credit -o fish-credit
 *     FISH_API_KEY=... ./fish-credit --help
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef _WIN32
#define _POSIX_C_SOURCE 200809L
#endif

#include "fish_api_credit.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#include <windows.h>
#else
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#endif

enum { SHOWN = 0, FAILED = 1, USAGE = 2, UNWRITTEN = 2, LOW = 3, EMPTY = 4 };

static const char HELP[] =
  "Usage: fish-credit [options]\n"
  "\n"
  "Shows the API credit, which API calls spend, of a Fish Audio account or a team. The two are separate. It does\n"
  "not show the platform credit of a plan, which the website spends.\n"
  "\n"
  "  --user ID             the wallet's owner (default: self, the key's own account)\n"
  "  --team ID             the API credit of this team, instead of the account's own\n"
  "  --check-free-credit   also ask whether free credit is left\n"
  "  --low AMOUNT          the credit is low below this amount, such as 5 or 0.50\n"
  "  --watch               read it periodically, and print a line for each change; Ctrl-C and SIGTERM print the\n"
  "                        last balance and end it\n"
  "  --interval SECONDS    with --watch, the time between two readings (default: 60)\n"
  "  --json                print the server's document as it was sent, with one line break at its end; with --watch,\n"
  "                        one JSON object per line\n"
  "  --prometheus          print balance, level, age and success in Prometheus' text format\n"
  "  --base-url URL        use another server (default: https://api.fish.audio)\n"
  "  --timeout MS          the time limit in milliseconds (default: 15000)\n"
  "  --version             print the versions of this program and of the library\n"
  "  --help                print this help\n"
  "\n"
  "The API key is read only from the environment variable FISH_API_KEY.\n"
  "\n"
  "Exit status:\n"
  "  0  the credit was shown\n"
  "  1  the call failed, or --watch ended before it had read a balance\n"
  "  2  wrong usage, or the output could not be written\n"
  "  3  with --low: the credit was shown, and is low\n"
  "  4  with --low or --watch: the credit was shown, and is at or below zero\n"
  "Standard error explains 1 and 2. With --watch, 0, 3 and 4 describe the last balance that was read.\n";

/* The parsed command line. */
typedef struct {
  fish_client_options client;
  fish_api_credit_query query;
  fish_watch_options watching;
  bool watch, json, prometheus;
  bool help, version;
} request;

/* ---- The command line ---------------------------------------------------- */

/* Parses digits only, up to `most`. */
static bool parse_whole(const char *text, size_t length, int64_t most, int64_t *value) {
  *value = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    if (*value > (most - (text[i] - '0')) / 10) return false;
    *value = *value * 10 + (text[i] - '0');
  }
  return length > 0;
}

/* Parses "12.34" to millionths. It must be above 0, because 0 means no limit to the library. */
static bool parse_amount(const char *text, int64_t *micros) {
  const size_t whole = strcspn(text, ".");
  const char *decimals = text[whole] == '.' ? text + whole + 1 : "0";
  const size_t length = strlen(decimals);
  int64_t units, fraction;
  if (!parse_whole(text, whole, INT64_MAX / 1000000 - 1, &units)) return false;
  if (length > 6 || !parse_whole(decimals, length, 999999, &fraction)) return false;
  for (size_t i = length; i < 6; i++) fraction *= 10;
  *micros = units * 1000000 + fraction;
  return *micros > 0;
}

/* Whether the start of an argument looks like an option's name. Anything else may be a misplaced key, so it is not
   printed. */
static bool is_option_name(const char *argument, size_t length) {
  return strncmp(argument, "--", 2) == 0 && strspn(argument, "-abcdefghijklmnopqrstuvwxyz") >= length;
}

static bool wrong(const char *complaint) {
  fprintf(stderr, "fish-credit: %s\n", complaint);
  return false;
}

/* Prints a message and returns false if the command line is wrong. */
static bool parse(int count, char **arguments, request *asked) {
  const char *timeout = NULL, *interval = NULL, *low = NULL;
  const struct {
    const char *name;
    bool *flag;         /* set for a flag */
    const char **value; /* set to the value of any other option */
  } options[] = {
    {"--help", &asked->help, NULL},
    {"-h", &asked->help, NULL},
    {"--version", &asked->version, NULL},
    {"--check-free-credit", &asked->query.check_free_credit, NULL},
    {"--watch", &asked->watch, NULL},
    {"--json", &asked->json, NULL},
    {"--prometheus", &asked->prometheus, NULL},
    {"--user", NULL, &asked->query.user_id},
    {"--team", NULL, &asked->query.team_id},
    {"--base-url", NULL, &asked->client.base_url},
    {"--timeout", NULL, &timeout},
    {"--interval", NULL, &interval},
    {"--low", NULL, &low},
  };
  const size_t known = sizeof options / sizeof *options;
  for (int i = 1; i < count; i++) {
    const char *argument = arguments[i];
    const size_t length = strcspn(argument, "=");
    const bool joined = argument[length] == '=';
    size_t at = 0;
    for (; at < known; at++)
      if (strlen(options[at].name) == length && strncmp(argument, options[at].name, length) == 0) break;
    if (at < known && options[at].flag && joined) at = known; /* a flag takes no value */
    if (at == known) {
      if (is_option_name(argument, length))
        fprintf(stderr, "fish-credit: unknown option %.*s; see --help.\n", (int)length + joined, argument);
      else
        fprintf(stderr, "fish-credit: argument %d is not an option; set the key in FISH_API_KEY, see --help.\n", i);
      return false;
    }
    if (options[at].flag) {
      *options[at].flag = true;
      if (asked->help || asked->version) return true;
      continue;
    }
    /* The arguments end with NULL. */
    const char *value = joined ? argument + length + 1 : arguments[++i];
    if (value == NULL) {
      fprintf(stderr, "fish-credit: %s needs a value; see --help.\n", options[at].name);
      return false;
    }
    *options[at].value = value;
  }

  int64_t whole = 0;
  if (timeout && !(parse_whole(timeout, strlen(timeout), UINT32_MAX, &whole) && whole > 0))
    return wrong("--timeout takes whole milliseconds, from 1 to 4294967295.");
  if (timeout) asked->client.timeout_ms = (uint32_t)whole;
  if (interval && !asked->watch) return wrong("--interval needs --watch; see --help.");
  if (interval && !(parse_whole(interval, strlen(interval), UINT32_MAX / 1000, &whole) && whole > 0))
    return wrong("--interval takes whole seconds, from 1 to 4294967.");
  if (interval) asked->watching.interval_ms = (uint32_t)whole * 1000;
  if (low && !parse_amount(low, &asked->watching.low_micros))
    return wrong("--low takes an amount above 0 with at most six decimals, such as 5 or 0.50.");
  if (asked->prometheus && (asked->watch || asked->json))
    return wrong("--prometheus cannot be combined with --watch or --json; see --help.");
  return true;
}

/* ---- Output for people --------------------------------------------------- */

/* Writes text: for a terminal, or inside a JSON string. */
typedef void put_function(FILE *out, const char *text, size_t length);

/* Replaces control characters, with which a server's text could control the terminal. */
static void put_bytes(FILE *out, const char *text, size_t length) {
  const unsigned char *byte = (const unsigned char *)text, *end = byte + length;
  for (; byte < end; byte++) {
    bool c1 = byte[0] == 0xc2 && byte[1] >= 0x80 && byte[1] < 0xa0; /* U+0080 to U+009F in UTF-8 */
    if (c1) byte++;
    putc(c1 || *byte < 0x20 || *byte == 0x7f ? '?' : *byte, out);
  }
}

static void put(FILE *out, const char *text) {
  put_bytes(out, text, strlen(text));
}

static void row(FILE *out, const char *label, const char *text) {
  fprintf(out, "%-18s ", label);
  put(out, text);
  putc('\n', out);
}

/* In cents, rounded down like the micros. */
static const char *dollars(const fish_api_credit *credit, char *text, size_t size) {
  const int64_t micros = credit->credit_micros;
  if (!credit->credit_micros_exact && (micros == INT64_MAX || micros == INT64_MIN)) return "see the exact text";
  const size_t length = fish_format_micros(micros, 2, text, size);
  if (length < size) snprintf(text + length, size - length, " US dollars");
  return text;
}

static const char *yes_or_no(fish_tristate flag, const char *unknown) {
  return flag == FISH_TRUE ? "yes" : flag == FISH_FALSE ? "no" : unknown;
}

static const char *level_name(fish_level level) {
  switch (level) {
    case FISH_LEVEL_OK: return "ok";
    case FISH_LEVEL_LOW: return "low";
    case FISH_LEVEL_EMPTY: return "empty";
    default: return "unknown";
  }
}

static void show(const fish_api_credit *credit, fish_level level, const request *asked) {
  const char *unsaid = "not sent by the server";
  char balance[64];
  row(stdout, "API credit", dollars(credit, balance, sizeof balance));
  row(stdout, "  exact text", credit->credit);
  row(stdout, "  which wallet", asked->query.team_id
                                  ? "the team's API credit, not the account's or a plan's platform credit"
                                  : "the account's API credit, not a team's or a plan's platform credit");
  if (asked->watching.low_micros) row(stdout, "  level", level_name(level));
  row(stdout, "Total paid in", credit->cumulative_top_up ? credit->cumulative_top_up : unsaid);
  row(stdout, "Free credit left",
      yes_or_no(credit->has_free_credit,
                asked->query.check_free_credit ? unsaid : "not requested (--check-free-credit)"));
  row(stdout, "Phone number known", yes_or_no(credit->has_phone_sha256, unsaid));
  row(stdout, "Account", credit->user_id);
  row(stdout, "Wallet", credit->id);
  row(stdout, "Created", credit->created_at);
  row(stdout, "Last changed", credit->updated_at);
}

/* Writes the library's message, with the command's options in place of the header's fields. */
static void put_message(FILE *out, const char *message, put_function *put_text) {
  static const struct {
    const char *field, *option;
  } names[] = {
    /* Longer names come before their prefixes. A name in quotes is a field of the server's document. */
    {"\"user_id\"", "\"user_id\""},
    {"options.api_key or FISH_API_KEY", "FISH_API_KEY"},
    {"options.api_key, or FISH_API_KEY", "FISH_API_KEY"},
    {"options.api_key", "FISH_API_KEY"},
    {"options.base_url", "--base-url"},
    {"base_url", "--base-url"},
    {"query.user_id", "--user"},
    {"user_id", "--user"},
    {"query.team_id", "--team"},
    {"team_id", "--team"},
    {"connect_timeout_ms", "the connect timeout"},
    {"check the network, or raise it", "check the network"},
    {"timeout_ms", "--timeout"},
    {"proxy_url or the proxy variables", "the proxy variables"},
    {" (see ca_file and tls_roots)", ""},
    {"request_id", "the request id"},
    {"see field_errors and api_message", "check the options"},
  };
  const size_t known = sizeof names / sizeof *names;
  const char *written = message; /* everything before this */
  while (*message != '\0') {
    size_t at = 0;
    while (at < known && strncmp(message, names[at].field, strlen(names[at].field)) != 0) at++;
    if (at == known) {
      message++;
      continue;
    }
    put_text(out, written, (size_t)(message - written));
    put_text(out, names[at].option, strlen(names[at].option));
    written = message += strlen(names[at].field);
  }
  put_text(out, written, strlen(written));
}

/* Whether the server sent more than nothing. */
static bool has(const char *text) {
  return text && text[0];
}

/* Prints "FISH_TIMED_OUT: message", followed by what the server sent. */
static void complain(const fish_error *error) {
  fprintf(stderr, "%s: ", fish_status_name(error->status));
  put_message(stderr, error->message, put_bytes);
  putc('\n', stderr);
  if (has(error->api_message)) row(stderr, "  the server said", error->api_message);
  if (has(error->api_reason)) row(stderr, "  its reason", error->api_reason);
  for (size_t i = 0; i < error->field_error_count; i++) {
    const fish_field_error *wrong = &error->field_errors[i];
    fputs("  ", stderr);
    put(stderr, has(wrong->location) ? wrong->location : "(no field)");
    fputs(": ", stderr);
    put(stderr, has(wrong->message) ? wrong->message : wrong->type);
    if (has(wrong->context)) {
      fputs(" (", stderr);
      put(stderr, wrong->context);
      putc(')', stderr);
    }
    putc('\n', stderr);
  }
  if (error->retry_after_ms) { /* in tenths of a second, rounded up: never earlier than the server said */
    const unsigned long tenths = error->retry_after_ms / 100UL + (error->retry_after_ms % 100 != 0);
    fprintf(stderr, "%-18s %lu.%lu s\n", "  ask again after", tenths / 10, tenths % 10);
  }
  if (error->attempts > 1) fprintf(stderr, "%-18s %lu times\n", "  tried", (unsigned long)error->attempts);
  if (has(error->request_id)) row(stderr, "  request id", error->request_id);
}

/* Returns the exit status, which reports output that could not be written. */
static int finish(int outcome) {
  if (fflush(stdout) == 0 && !ferror(stdout)) return outcome;
  perror("fish-credit: standard output");
  return UNWRITTEN;
}

/* The exit status for a credit that was shown. */
static int outcome(fish_level level) {
  return level == FISH_LEVEL_EMPTY ? EMPTY : level == FISH_LEVEL_LOW ? LOW : SHOWN;
}

/* ---- Output for programs ------------------------------------------------- */

static void put_json_bytes(FILE *out, const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    const unsigned char byte = (unsigned char)text[i];
    if (byte < 0x20)
      fprintf(out, "\\u%04x", byte);
    else
      fprintf(out, byte == '"' || byte == '\\' ? "\\%c" : "%c", byte);
  }
}

/* Prints the document with one line break at its end, whatever was there. */
static void put_document(const char *json) {
  size_t length = strlen(json);
  while (length > 0 && (json[length - 1] == '\n' || json[length - 1] == '\r')) length--;
  fwrite(json, 1, length, stdout);
  putchar('\n');
}

/* The kind of wallet, as a label. */
static const char *wallet(const request *asked) {
  return asked->query.team_id ? "team" : "account";
}

static void metric(const char *name, const char *help, const char *value, const request *asked) {
  printf("# HELP fish_api_credit_%s %s\n# TYPE fish_api_credit_%s gauge\n", name, help, name);
  printf("fish_api_credit_%s{wallet=\"%s\"} %s\n", name, wallet(asked), value);
}

/* Prints Prometheus' text format, also for a failure (credit is NULL). */
static void expose(const fish_api_credit *credit, fish_level level, const request *asked) {
  char value[32];
  metric("success", "Whether the API credit could be read: 1 or 0.", credit ? "1" : "0", asked);
  snprintf(value, sizeof value, "%d", (int)level);
  metric("level", "0 unknown, 1 ok, 2 low, 3 empty.", value, asked);
  if (credit == NULL) return;
  fish_format_micros(credit->credit_micros, 6, value, sizeof value);
  metric("balance", "The API credit that is left, in US dollars. Not a plan's platform credit.", value, asked);
  metric("age_seconds", "How long ago the balance was read.", "0", asked);
}

/* ---- One call ------------------------------------------------------------ */

static fish_level level_of(int64_t micros, int64_t low) {
  return micros <= 0 ? FISH_LEVEL_EMPTY : micros < low ? FISH_LEVEL_LOW : FISH_LEVEL_OK;
}

static int ask(const fish_client *client, const request *asked) {
  fish_api_credit credit;
  fish_error error;
  fish_level level = FISH_LEVEL_UNKNOWN;
  char *json = NULL;
  fish_status status;
  if (asked->json) {
    status = fish_get_api_credit_json(client, &asked->query, &json, &error);
    if (status == FISH_OK) status = fish_api_credit_from_json(json, strlen(json), &credit, &error);
  } else {
    status = fish_get_api_credit(client, &asked->query, &credit, &error);
  }
  if (status == FISH_OK) level = level_of(credit.credit_micros, asked->watching.low_micros);

  if (asked->prometheus)
    expose(status == FISH_OK ? &credit : NULL, level, asked);
  else if (status == FISH_OK && asked->json)
    put_document(json);
  else if (status == FISH_OK)
    show(&credit, level, asked);
  if (status != FISH_OK) complain(&error);

  if (status == FISH_OK) fish_api_credit_free(&credit);
  fish_string_free(json);
  fish_error_free(&error);
  if (status != FISH_OK) return FAILED;
  return asked->watching.low_micros ? outcome(level) : SHOWN;
}

/* ---- A watch ------------------------------------------------------------- */

#ifdef _WIN32

static volatile sig_atomic_t ending;

static void end(int signal_number) {
  (void)signal_number;
  ending = 1;
}

static bool listen_for_signals(void) {
  return signal(SIGINT, end) != SIG_ERR && signal(SIGTERM, end) != SIG_ERR;
}

/* Waits until the watch may have changed; false if a signal came. A signal does not end a WSAPoll, so this polls ten
   times a second. */
static bool wait_for_change(const fish_watch *watch) {
  (void)watch;
  Sleep(100);
  return !ending;
}

#else

/* The signal handler writes into this pipe, so that poll cannot miss a signal. */
static int signals[2];

static void end(int signal_number) {
  const int before = errno;
  const ssize_t written = write(signals[1], "", 1);
  (void)signal_number;
  (void)written;
  errno = before;
}

static bool listen_for_signals(void) {
  struct sigaction action = {0};
  action.sa_handler = end;
  action.sa_flags = (int)SA_RESETHAND; /* a second Ctrl-C ends the program at once */
  return pipe(signals) == 0 && sigaction(SIGINT, &action, NULL) == 0 && sigaction(SIGTERM, &action, NULL) == 0;
}

/* Waits until the watch has changed; false if a signal came. */
static bool wait_for_change(const fish_watch *watch) {
  /* poll ignores a descriptor of -1. A watch without one is read once a second. */
  const int descriptor = (int)fish_watch_descriptor(watch);
  struct pollfd waiting[] = {{.fd = descriptor, .events = POLLIN}, {.fd = signals[0], .events = POLLIN}};
  if (poll(waiting, 2, descriptor < 0 ? 1000 : -1) < 0) return errno == EINTR; /* then the pipe is readable */
  return waiting[1].revents == 0;
}

#endif

static void put_json_line(const fish_watch_state *state, const fish_error *error, const char *now,
                          const char *whose) {
  printf("{\"time\":\"%s\",\"wallet\":\"%s\",\"credit\":", now, whose);
  if (state->credit.credit)
    printf("\"%s\"", state->credit.credit); /* a number: nothing to escape */
  else
    fputs("null", stdout);
  printf(",\"level\":\"%s\",\"age_ms\":%llu", level_name(state->level), (unsigned long long)state->age_ms);
  printf(",\"status\":\"%s\",\"failures\":%lu", fish_status_name(state->status), (unsigned long)state->failures);
  fputs(",\"message\":", stdout);
  if (error->message) {
    putchar('"');
    put_message(stdout, error->message, put_json_bytes);
    putchar('"');
  } else {
    fputs("null", stdout);
  }
  fputs("}\n", stdout);
}

static void put_text_line(const fish_watch_state *state, const fish_error *error, const char *now,
                          const char *whose) {
  const fish_api_credit *credit = &state->credit;
  char balance[64];
  printf("%s  API credit of the %s: ", now, whose);
  if (credit->credit)
    printf("%s (%s), %s", dollars(credit, balance, sizeof balance), credit->credit, level_name(state->level));
  else
    fputs(state->status == FISH_PENDING ? "not read yet" : "unknown", stdout);
  if (error->message) {
    if (credit->credit) printf(" %llu s ago", (unsigned long long)state->age_ms / 1000);
    printf("; %s: ", fish_status_name(state->status));
    put_message(stdout, error->message, put_bytes);
  }
  putchar('\n');
}

/* Prints one line with the watch's state and the error of its latest reading. */
static void put_line(const fish_watch_state *state, const fish_error *error, const request *asked) {
  char now[32] = "";
  const time_t seconds = time(NULL);
  strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime(&seconds));
  (asked->json ? put_json_line : put_text_line)(state, error, now, wallet(asked));
}

static int keep_watching(const fish_client *client, const request *asked) {
  fish_error error;
  fish_watch *watch;
  if (!listen_for_signals()) {
    perror("fish-credit: signals");
    return FAILED;
  }
  if (fish_watch_start(client, &asked->query, &asked->watching, &watch, &error) != FISH_OK) {
    complain(&error);
    fish_error_free(&error);
    return FAILED;
  }
  fish_level level = FISH_LEVEL_UNKNOWN;
  uint64_t seen = 0;
  for (bool going = true; going;) {
    fish_watch_state state;
    going = wait_for_change(watch);
    fish_watch_read(watch, &state, &error);
    level = state.level;
    if (!going || state.changes != seen) put_line(&state, &error, asked);
    seen = state.changes;
    fish_error_free(&error);
    fish_watch_state_free(&state);
    if (fflush(stdout) != 0) going = false;
  }
  fish_watch_free(watch);
  if (level == FISH_LEVEL_UNKNOWN) fputs("fish-credit: no balance was read.\n", stderr);
  return level == FISH_LEVEL_UNKNOWN ? FAILED : outcome(level);
}

/* Prepares standard output. */
static void prepare_output(void) {
#ifdef _WIN32
  _setmode(_fileno(stdout), _O_BINARY); /* a document and Prometheus' format keep their line ends */
#else
  int descriptor;
  signal(SIGPIPE, SIG_IGN); /* a closed pipe is then a write error, like a full disk */
  /* If it is closed, nothing else may take its number; and this cannot be written. */
  while ((descriptor = open("/dev/null", O_RDONLY)) >= 0 && descriptor <= 2) {
  }
  if (descriptor > 2) close(descriptor);
#endif
}

int main(int count, char **arguments) {
  request asked = {0};
  prepare_output();
  if (!parse(count, arguments, &asked)) return USAGE;
  if (asked.help || asked.version) {
    if (asked.help)
      fputs(HELP, stdout);
    else
      printf("fish-credit %s, library %s\n", FISH_VERSION, fish_version());
    return finish(SHOWN);
  }

  fish_client *client;
  fish_error error;
  if (fish_client_new(&asked.client, &client, &error) != FISH_OK) {
    if (asked.prometheus) expose(NULL, FISH_LEVEL_UNKNOWN, &asked);
    complain(&error);
    fish_error_free(&error);
    return finish(FAILED);
  }
  const int ended = asked.watch ? keep_watching(client, &asked) : ask(client, &asked);
  fish_client_free(client);
  return finish(ended);
}
