/*
 * credit - show a Fish Audio account's API credit.
 *
 * The whole of what a program needs of fish_api_credit.h: make a client, ask, show what came or say why
 * nothing did. The key comes from the environment alone, so that it never stands in a process list.
 *
 *     cc -Iinclude examples/c/credit.c -lfish_api_credit -o credit
 *     FISH_API_KEY=... ./credit --help
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include "fish_api_credit.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 0, FAILED = 1, USAGE = 2, UNWRITTEN = 2 };

static const char HELP[] =
  "Usage: credit [options]\n"
  "\n"
  "Shows the API credit of a Fish Audio account: what its programs spend. It is not the platform credit of\n"
  "a plan, which the website spends; that is another wallet.\n"
  "\n"
  "  --user ID             whose wallet (default: self, the key's own account)\n"
  "  --team ID             the team whose wallet is meant\n"
  "  --check-free-credit   ask whether free credit is left, too\n"
  "  --json                print the server's document, byte for byte\n"
  "  --base-url URL        ask another server (default: https://api.fish.audio)\n"
  "  --timeout MS          give up after so many milliseconds (default: 15000)\n"
  "  --help                print this\n"
  "\n"
  "The API key is read from the environment variable FISH_API_KEY, and from nowhere else.\n"
  "\n"
  "Exit status: 0 the credit was shown, 1 the call failed, 2 wrong usage, or it could not be printed; standard\n"
  "error says why.\n";

/* What the command line asks for. */
typedef struct {
  fish_client_options client;
  fish_api_credit_query query;
  bool json;
  bool help;
} request;

/* ---- The command line ---------------------------------------------------- */

static bool parse_milliseconds(const char *text, uint32_t *milliseconds) {
  uint64_t value = 0;
  const char *digit = text;
  for (; *digit >= '0' && *digit <= '9'; digit++) {
    value = value * 10 + (uint64_t)(*digit - '0');
    if (value > UINT32_MAX) return false;
  }
  *milliseconds = (uint32_t)value;
  return *digit == '\0' && value != 0; /* 0 would be the library's default */
}

/* Whether that much of an argument can be an option's name. Anything else may be a key in the wrong place, and
   is not repeated. */
static bool is_option_name(const char *argument, size_t length) {
  return strncmp(argument, "--", 2) == 0 && strspn(argument, "-abcdefghijklmnopqrstuvwxyz") >= length;
}

/* Complains and returns false if the command line is wrong. */
static bool parse(int count, char **arguments, request *asked) {
  for (int i = 1; i < count; i++) {
    const char *argument = arguments[i];
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
      asked->help = true;
      return true;
    }
    if (strcmp(argument, "--check-free-credit") == 0) {
      asked->query.check_free_credit = true;
      continue;
    }
    if (strcmp(argument, "--json") == 0) {
      asked->json = true;
      continue;
    }

    const char *timeout = NULL;
    const struct {
      const char *name;
      const char **value;
    } options[] = {
      {"--user", &asked->query.user_id},
      {"--team", &asked->query.team_id},
      {"--base-url", &asked->client.base_url},
      {"--timeout", &timeout},
    };
    const size_t known = sizeof options / sizeof *options;
    const size_t length = strcspn(argument, "=");
    size_t at = 0;
    while (at < known && !(strlen(options[at].name) == length && strncmp(argument, options[at].name, length) == 0))
      at++;
    if (at == known) {
      if (is_option_name(argument, length))
        fprintf(stderr, "credit: there is no option %.*s; see --help.\n",
                (int)length + (argument[length] == '='), argument);
      else
        fprintf(stderr, "credit: argument %d is no option; the key goes into FISH_API_KEY, see --help.\n", i);
      return false;
    }
    /* After the last argument stands NULL. */
    const char *value = argument[length] == '=' ? argument + length + 1 : arguments[++i];
    if (value == NULL) {
      fprintf(stderr, "credit: %s needs a value; see --help.\n", options[at].name);
      return false;
    }
    *options[at].value = value;
    if (timeout != NULL && !parse_milliseconds(timeout, &asked->client.timeout_ms)) {
      fputs("credit: --timeout takes whole milliseconds, from 1 to 4294967295.\n", stderr);
      return false;
    }
  }
  return true;
}

/* ---- What a person reads ------------------------------------------------- */

/* Text from a server, without the control characters by which it could command a terminal. */
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

/* Micros as dollars and cents, rounded down as the micros are: never more than there is. */
static const char *cents(int64_t micros, char *text, size_t size) {
  long long all = micros / 10000 - (micros % 10000 < 0);
  long long magnitude = all < 0 ? -all : all; /* far from LLONG_MIN, by the division */
  snprintf(text, size, "%s%lld.%02lld US dollars", all < 0 ? "-" : "", magnitude / 100, magnitude % 100);
  return text;
}

static const char *yes_or_no(fish_tristate flag, const char *unknown) {
  return flag == FISH_TRUE ? "yes" : flag == FISH_FALSE ? "no" : unknown;
}

static void show(const fish_api_credit *credit, bool asked_for_free_credit) {
  const char *unsaid = "the server did not say";
  const int64_t micros = credit->credit_micros;
  const bool saturated = !credit->credit_micros_exact && (micros == INT64_MAX || micros == INT64_MIN);
  char balance[64];
  row(stdout, "API credit", saturated ? "see the exact text" : cents(micros, balance, sizeof balance));
  row(stdout, "  exact text", credit->credit);
  row(stdout, "  which wallet", "what programs spend through the API; not the platform credit of a plan");
  row(stdout, "Paid in, ever", credit->cumulative_top_up ? credit->cumulative_top_up : unsaid);
  row(stdout, "Free credit left",
      yes_or_no(credit->has_free_credit, asked_for_free_credit ? unsaid : "not asked (--check-free-credit)"));
  row(stdout, "Phone number known", yes_or_no(credit->has_phone_sha256, unsaid));
  row(stdout, "Account", credit->user_id);
  row(stdout, "Wallet", credit->id);
  row(stdout, "Made", credit->created_at);
  row(stdout, "Last changed", credit->updated_at);
}

/* The library's sentence. It names fields of the header; whoever reads it here has set options. */
static void put_message(FILE *out, const char *message) {
  static const struct {
    const char *field, *option;
  } names[] = {
    /* A longer one stands before one that it begins with. A name in quotes is one of the server's document. */
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
    {"connect_timeout_ms", "the time for a connection"},
    {"its timeout_ms", "--timeout"},
    {"timeout_ms", "--timeout"},
    {"options.proxy_url", "the proxy variable"},
    {"proxy_url or the proxy variables", "the proxy variables"},
    {"or NULL for", "or leave it out for"},
    {" NULL", " out"},
    {"see field_errors and api_message", "see below"},
  };
  const size_t known = sizeof names / sizeof *names;
  const char *told = message; /* up to here */
  while (*message != '\0') {
    size_t at = 0;
    while (at < known && strncmp(message, names[at].field, strlen(names[at].field)) != 0) at++;
    if (at == known) {
      message++;
      continue;
    }
    put_bytes(out, told, (size_t)(message - told));
    fputs(names[at].option, out);
    told = message += strlen(names[at].field);
  }
  put(out, told);
}

/* "FISH_TIMED_OUT: message", and under it what the server had to say. */
static void complain(const fish_error *error) {
  fprintf(stderr, "%s: ", fish_status_name(error->status));
  put_message(stderr, error->message);
  putc('\n', stderr);
  if (error->api_message) row(stderr, "  the server said", error->api_message);
  if (error->api_reason) row(stderr, "  its reason", error->api_reason);
  for (size_t i = 0; i < error->field_error_count; i++) {
    const fish_field_error *wrong = &error->field_errors[i];
    fputs("  ", stderr);
    put(stderr, wrong->location[0] ? wrong->location : "(no field)");
    fputs(": ", stderr);
    put(stderr, wrong->message[0] ? wrong->message : wrong->type);
    if (wrong->context) {
      fputs(" (", stderr);
      put(stderr, wrong->context);
      putc(')', stderr);
    }
    putc('\n', stderr);
  }
  if (error->retry_after_ms)
    fprintf(stderr, "%-18s %.1f s\n", "  ask again after", error->retry_after_ms / 1000.0);
  if (error->attempts > 1) fprintf(stderr, "%-18s %lu times\n", "  tried", (unsigned long)error->attempts);
  if (error->request_id) row(stderr, "  request id", error->request_id);
}

/* The exit status: what could not be printed was not shown. */
static int finish(int outcome) {
  if (fflush(stdout) == 0 && !ferror(stdout)) return outcome;
  perror("credit: standard output");
  return UNWRITTEN;
}

/* ---- The call ------------------------------------------------------------ */

int main(int count, char **arguments) {
  request asked = {0};
#ifdef SIGPIPE
  signal(SIGPIPE, SIG_IGN); /* a pipe that nobody reads is an error of the write, like a full disk */
#endif
  if (!parse(count, arguments, &asked)) return USAGE;
  if (asked.help) {
    fputs(HELP, stdout);
    return finish(SHOWN);
  }

  fish_error error;
  fish_client *client;
  fish_status status = fish_client_new(&asked.client, &client, &error);
  if (status == FISH_OK && asked.json) {
    char *json;
    status = fish_get_api_credit_json(client, &asked.query, &json, &error);
    if (status == FISH_OK) fputs(json, stdout);
    fish_string_free(json);
  } else if (status == FISH_OK) {
    fish_api_credit credit;
    status = fish_get_api_credit(client, &asked.query, &credit, &error);
    if (status == FISH_OK) show(&credit, asked.query.check_free_credit);
    fish_api_credit_free(&credit);
  }
  if (status != FISH_OK) complain(&error);
  fish_error_free(&error);
  fish_client_free(client);

  return finish(status == FISH_OK ? SHOWN : FAILED);
}
