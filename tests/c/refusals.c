/*
 * What a caller may get wrong in the values it passes: reserved words that are not zero, text that is not UTF-8,
 * numbers that mean nothing, a bool that is none, a status that does not exist. Prints the names of the fields
 * that were tried, which tests/c_interface.rs compares with the header.
 */
#include "check.h"
#include "every_field.h"

#include <limits.h>
#include <stddef.h>

static fish_client *client;
static const char *url;

/* Overlong, a surrogate, beyond Unicode, cut off, and bytes that UTF-8 never has. */
static const char *const not_utf8[] = {
    "\xff", ("a\xfe" "b"), "\xc0\x80", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "abc\xe2\x82", "\x80",
};

struct text_field {
  const char *name;
  size_t offset;
};

#define ROW(field) {"options." #field, offsetof(fish_client_options, field)},
static const struct text_field options_texts[] = {FISH_CLIENT_OPTIONS_TEXTS(ROW)};
#undef ROW
#define ROW(field) {"query." #field, offsetof(fish_api_credit_query, field)},
static const struct text_field query_texts[] = {FISH_API_CREDIT_QUERY_TEXTS(ROW)};
#undef ROW

static void set_text(void *structure, const struct text_field *field, const char *text) {
  memcpy((char *)structure + field->offset, &text, sizeof text);
}

/* Refused for a reason that begins so. */
static void refused(fish_status status, fish_error *error, const char *begins) {
  CHECK_INT(status, FISH_INVALID_ARGUMENT);
  CHECK_INT(error->status, FISH_INVALID_ARGUMENT);
  CHECK_INT(error->attempts, 0);
  CHECK_INT(error->http_status, 0);
  CHECK_IN(!error->retryable, begins);
  if (error->message == NULL || strncmp(error->message, begins, strlen(begins)) != 0) {
    check_failed(__FILE__, __LINE__, begins, error->message ? error->message : "NULL");
  }
  fish_error_free(error);
}

static void options_refused(const fish_client_options *options, const char *begins) {
  fish_client *made = client;
  fish_error error;
  refused(fish_client_new(options, &made, &error), &error, begins);
  CHECK(made == NULL);
  CHECK_INT(fish_client_new(options, &made, NULL), FISH_INVALID_ARGUMENT);
}

static void query_refused(const fish_api_credit_query *query, const char *begins) {
  fish_api_credit credit;
  fish_error error;
  char *json = (char *)&credit;
  refused(fish_get_api_credit(client, query, &credit, &error), &error, begins);
  CHECK(is_zero(&credit, sizeof credit));
  refused(fish_get_api_credit_json(client, query, &json, &error), &error, begins);
  CHECK(json == NULL);
  CHECK_INT(fish_get_api_credit(client, query, &credit, NULL), FISH_INVALID_ARGUMENT);
  /* In the background it is refused at once. */
  fish_call *call = (fish_call *)(void *)&credit;
  fish_watch *watch = (fish_watch *)(void *)&credit;
  refused(fish_call_start(client, query, &call, &error), &error, begins);
  refused(fish_watch_start(client, query, NULL, &watch, &error), &error, begins);
  CHECK(call == NULL && watch == NULL);
}

static void watch_refused(const fish_watch_options *options, const char *begins) {
  fish_watch *watch = (fish_watch *)(void *)&watch;
  fish_error error;
  refused(fish_watch_start(client, NULL, options, &watch, &error), &error, begins);
  CHECK(watch == NULL);
  CHECK_INT(fish_watch_start(client, NULL, options, &watch, NULL), FISH_INVALID_ARGUMENT);
}

static void reserved_words(void) {
  static const uint64_t values[] = {1, UINT64_C(1) << 63, UINT64_MAX, UINT64_C(0xA5A5A5A5A5A5A5A5), 0x100};
  for (unsigned value = 0; value < COUNT(values); value++) {
    for (unsigned word = 0; word < COUNT(((fish_client_options *)0)->reserved); word++) {
      fish_client_options options = test_options(url);
      options.reserved[word] = values[value];
      options_refused(&options, "options.reserved is not zero");
    }
    for (unsigned word = 0; word < COUNT(((fish_api_credit_query *)0)->reserved); word++) {
      fish_api_credit_query query = {0};
      query.reserved[word] = values[value];
      query_refused(&query, "query.reserved is not zero");
    }
    for (unsigned word = 0; word < COUNT(((fish_watch_options *)0)->reserved); word++) {
      fish_watch_options options = {0};
      options.reserved[word] = values[value];
      watch_refused(&options, "options.reserved is not zero");
    }
  }
  printf("reserved options.reserved %u\n", (unsigned)COUNT(((fish_client_options *)0)->reserved));
  printf("reserved query.reserved %u\n", (unsigned)COUNT(((fish_api_credit_query *)0)->reserved));
  printf("reserved watch.reserved %u\n", (unsigned)COUNT(((fish_watch_options *)0)->reserved));
}

static void texts(void) {
  char begins[64];
  for (unsigned i = 0; i < COUNT(options_texts); i++) {
    snprintf(begins, sizeof begins, "%s is not valid UTF-8", options_texts[i].name);
    for (unsigned bad = 0; bad < COUNT(not_utf8); bad++) {
      fish_client_options options = test_options(url);
      set_text(&options, &options_texts[i], not_utf8[bad]);
      options_refused(&options, begins);
    }
    printf("text %s\n", options_texts[i].name);
  }
  for (unsigned i = 0; i < COUNT(query_texts); i++) {
    snprintf(begins, sizeof begins, "%s is not valid UTF-8", query_texts[i].name);
    for (unsigned bad = 0; bad < COUNT(not_utf8); bad++) {
      fish_api_credit_query query = {0};
      set_text(&query, &query_texts[i], not_utf8[bad]);
      query_refused(&query, begins);
    }
    printf("text %s\n", query_texts[i].name);
  }
}

static void numbers(void) {
  static const int32_t retries[] = {-2, -3, INT32_MIN};
  static const int32_t roots[] = {2, -1, INT32_MIN, INT32_MAX};
  for (unsigned i = 0; i < COUNT(retries); i++) {
    fish_client_options options = test_options(url);
    options.max_retries = retries[i];
    options_refused(&options, "options.max_retries is ");
  }
  for (unsigned i = 0; i < COUNT(roots); i++) {
    fish_client_options options = test_options(url);
    options.tls_roots = roots[i];
    options_refused(&options, "options.tls_roots is ");
  }
  static const uint32_t intervals[] = {1, 999};
  static const int64_t below_zero[] = {-1, INT64_MIN};
  for (unsigned i = 0; i < COUNT(intervals); i++) {
    fish_watch_options options = {0};
    options.interval_ms = intervals[i];
    watch_refused(&options, "options.interval_ms is ");
  }
  for (unsigned i = 0; i < COUNT(below_zero); i++) {
    fish_watch_options options = {0};
    options.low_micros = below_zero[i];
    watch_refused(&options, "options.low_micros is ");
    options.low_micros = 0;
    options.recovered_micros = below_zero[i];
    watch_refused(&options, "options.recovered_micros is ");
  }
  fish_watch_options options = {0};
  options.low_micros = 2;
  options.recovered_micros = 1;
  watch_refused(&options, "options.recovered_micros is 1, below low_micros");
  puts("numbers");
}

/* A byte that is neither 0 nor 1 is what a struct on the stack holds when it was not zeroed. */
static void flag(void) {
  for (int byte = 0; byte < 256; byte++) {
    fish_api_credit_query query = {0};
    fish_api_credit credit;
    query.user_id = "echo";
    memset(&query.check_free_credit, byte, sizeof query.check_free_credit);
    CHECK_INT(fish_get_api_credit(client, &query, &credit, NULL), FISH_OK);
    CHECK_INT(credit.has_free_credit, byte == 0 ? FISH_FALSE : FISH_TRUE);
    fish_api_credit_free(&credit);
  }
  puts("flag");
}

static int known_names;

static void one_status(int64_t number) {
  const char *name = fish_status_name((int32_t)number);
  CHECK(name != NULL && strncmp(name, "FISH_", 5) == 0);
  if (strcmp(name, "FISH_UNKNOWN_STATUS") != 0) {
    CHECK(number >= 0 && number <= 90);
    known_names++;
  }
  /* Static: the same text every time. */
  CHECK(fish_status_name((int32_t)number) == name);
}

static void statuses(void) {
  for (int64_t number = -1000; number <= 1000; number++) {
    one_status(number);
  }
  printf("statuses %d\n", known_names);
  for (int64_t number = INT32_MIN; number <= INT32_MAX; number += 104729) {
    one_status(number);
  }
  for (int shift = 10; shift < 32; shift++) {
    for (int64_t beside = -1; beside <= 1; beside++) {
      int64_t power = (INT64_C(1) << shift) + beside;
      if (power <= INT32_MAX) {
        one_status(power);
      }
      if (-power >= INT32_MIN) {
        one_status(-power);
      }
    }
  }
  one_status(INT_MIN);
  one_status(INT_MAX);
  CHECK_TEXT(fish_status_name(INT_MIN), "FISH_UNKNOWN_STATUS");
  CHECK_TEXT(fish_status_name(INT_MAX), "FISH_UNKNOWN_STATUS");
}

int main(int argc, char **argv) {
  url = base_url(argc, argv);
  client = test_client(url);
  reserved_words();
  texts();
  numbers();
  flag();
  statuses();
  fish_client_free(client);
  return 0;
}
