/*
 * Calls every function of the interface, against a server on loopback (argument 1, see tests/support/routes.rs). C99
 * and nothing beyond it, so that it runs on every platform.
 */

#include "fish_api_credit.h"

#include <stdio.h>
#include <string.h>

static int failures = 0;

static void check(int good, const char *what, int line) {
  if (!good) {
    fprintf(stderr, "smoke.c:%d: %s\n", line, what);
    ++failures;
  }
}
#define CHECK(condition) check((condition), #condition, __LINE__)

static fish_client *client_for(const char *server, const char *route) {
  char base_url[128];
  fish_client_options options = {0};
  fish_client *client = NULL;
  fish_error error;
  snprintf(base_url, sizeof base_url, "%s/%s", server, route);
  options.api_key = "secret-1";
  options.base_url = base_url;
  options.max_retries = -1;
  if (fish_client_new(&options, &client, &error) != FISH_OK) {
    fprintf(stderr, "smoke.c: %s\n", error.message);
    fish_error_free(&error);
    ++failures;
  }
  return client;
}

static void the_library(void) {
  CHECK(strcmp(fish_version(), FISH_VERSION) == 0);
  CHECK(fish_abi_version() == FISH_ABI_VERSION);
  CHECK(strcmp(fish_status_name(FISH_TIMED_OUT), "FISH_TIMED_OUT") == 0);
  CHECK(strcmp(fish_status_name(-1), "FISH_UNKNOWN_STATUS") == 0);
}

static void an_amount(void) {
  char text[32];
  CHECK(fish_format_micros(12345678, 2, text, sizeof text) == 5 && strcmp(text, "12.34") == 0);
  CHECK(fish_format_micros(INT64_MIN, 6, text, sizeof text) == 21 && strcmp(text, "-9223372036854.775808") == 0);
}

static void a_cancelled_client(const char *server) {
  fish_client *client = client_for(server, "ok");
  fish_api_credit credit;
  fish_client_cancel(client);
  CHECK(fish_get_api_credit(client, NULL, &credit, NULL) == FISH_CANCELLED);
  fish_client_free(client);
}

static void a_credit_and_its_document(const char *server) {
  fish_client *client = client_for(server, "ok");
  fish_api_credit credit, again;
  fish_error error;
  char *json;
  CHECK(fish_get_api_credit(client, NULL, &credit, &error) == FISH_OK);
  CHECK(strcmp(credit.id, "0123456789abcdef0123456789abcdef") == 0);
  CHECK(strcmp(credit.user_id, "fedcba9876543210fedcba9876543210") == 0);
  CHECK(strcmp(credit.credit, "12.345678") == 0 && credit.credit_micros == 12345678 && credit.credit_micros_exact);
  CHECK(strcmp(credit.cumulative_top_up, "20.00") == 0 && credit.cumulative_top_up_micros == 20000000);
  CHECK(credit.created_at_unix_us == INT64_C(1735787045000000));
  CHECK(credit.updated_at_unix_us == INT64_C(1785587696789012));
  CHECK(credit.has_phone_sha256 == FISH_TRUE && credit.has_free_credit == FISH_UNKNOWN);

  CHECK(fish_get_api_credit_json(client, NULL, &json, &error) == FISH_OK);
  CHECK(fish_api_credit_from_json(json, strlen(json), &again, &error) == FISH_OK);
  CHECK(strcmp(again.updated_at, "2026-08-01T12:34:56.789012Z") == 0);
  CHECK(fish_api_credit_from_json("{}", 2, &again, &error) == FISH_BAD_RESPONSE);
  fish_error_free(&error);
  fish_string_free(json);
  fish_api_credit_free(&credit);
  CHECK(credit.id == NULL);
  fish_api_credit_free(&credit);
  fish_client_free(client);
}

static void a_query(const char *server) {
  fish_client *client = client_for(server, "echo");
  fish_api_credit_query query = {0};
  fish_api_credit credit;
  query.user_id = "a/b";
  query.team_id = "t";
  query.check_free_credit = true;
  CHECK(fish_get_api_credit(client, &query, &credit, NULL) == FISH_OK);
  CHECK(strcmp(credit.id, "/echo/wallet/a%2Fb/api-credit?check_free_credit=true&team_id=t") == 0);
  fish_api_credit_free(&credit);
  fish_client_free(client);
}

static void failures_of_every_kind(const char *server) {
  fish_client *client = client_for(server, "401");
  fish_api_credit credit;
  fish_error error;
  CHECK(fish_get_api_credit(client, NULL, &credit, &error) == FISH_UNAUTHORIZED);
  CHECK(error.status == FISH_UNAUTHORIZED && error.http_status == 401 && error.attempts == 1 && !error.retryable);
  CHECK(strcmp(error.api_message, "bad key") == 0 && strcmp(error.request_id, "trace-401") == 0);
  CHECK(strstr(error.message, "secret-1") == NULL);
  fish_error_free(&error);
  CHECK(error.message == NULL);
  fish_error_free(&error);
  fish_client_free(client);

  client = client_for(server, "422");
  CHECK(fish_get_api_credit(client, NULL, &credit, &error) == FISH_VALIDATION_FAILED);
  CHECK(error.field_error_count == 2 && strcmp(error.field_errors[1].location, "path.0") == 0);
  fish_error_free(&error);
  fish_client_free(client);

  client = client_for(server, "503");
  CHECK(fish_get_api_credit(client, NULL, &credit, &error) == FISH_SERVER_ERROR);
  CHECK(error.retryable && error.retry_after_ms == 7000);
  fish_error_free(&error);
  fish_client_free(client);

  CHECK(fish_get_api_credit(NULL, NULL, &credit, &error) == FISH_INVALID_ARGUMENT);
  fish_error_free(&error);
}

/* A port at which nobody listens; one client with TLS, so that its roots are loaded, and one without. */
static void nobody_there(void) {
  const char *urls[] = {"http://127.0.0.1:1", "https://127.0.0.1:1", "http://localhost:1"};
  size_t at;
  for (at = 0; at < sizeof urls / sizeof *urls; ++at) {
    fish_client_options options = {0};
    fish_client *client;
    fish_api_credit credit;
    fish_error error;
    options.api_key = "secret-1";
    options.base_url = urls[at];
    options.max_retries = -1;
    CHECK(fish_client_new(&options, &client, &error) == FISH_OK);
    CHECK(fish_get_api_credit(client, NULL, &credit, &error) == FISH_CONNECT_FAILED);
    CHECK(error.attempts == 1 && error.http_status == 0 && error.retryable);
    if (error.status != FISH_CONNECT_FAILED) {
      fprintf(stderr, "%s: %s\n", urls[at], error.message);
    }
    fish_error_free(&error);
    fish_client_free(client);
  }
}

static void a_deadline_and_a_cancelled_token(const char *server) {
  fish_client *client = client_for(server, "stall");
  fish_api_credit_query query = {0};
  fish_api_credit credit;
  query.timeout_ms = 100;
  CHECK(fish_get_api_credit(client, &query, &credit, NULL) == FISH_TIMED_OUT);

  query.cancel = fish_cancel_token_new();
  query.timeout_ms = 60000;
  fish_cancel_token_cancel(query.cancel);
  CHECK(fish_get_api_credit(client, &query, &credit, NULL) == FISH_CANCELLED);
  fish_cancel_token_free(query.cancel);
  fish_client_free(client);
}

/* 49 days do not fit into what Windows' poll takes: the answer must come none the later. */
static void the_longest_timeout(const char *server) {
  fish_client *client = client_for(server, "ok");
  fish_api_credit_query query = {0};
  fish_api_credit credit;
  query.timeout_ms = UINT32_MAX;
  CHECK(fish_get_api_credit(client, &query, &credit, NULL) == FISH_OK);
  fish_api_credit_free(&credit);
  fish_client_free(client);
}

/* One client, many calls: the connection is kept, or made anew without anyone noticing. */
static void many_calls(const char *server) {
  fish_client *client = client_for(server, "ok");
  int calls;
  for (calls = 0; calls < 50; ++calls) {
    fish_api_credit credit;
    CHECK(fish_get_api_credit(client, NULL, &credit, NULL) == FISH_OK);
    fish_api_credit_free(&credit);
  }
  fish_client_free(client);
}

int main(int count, char **arguments) {
  if (count != 2) {
    fprintf(stderr, "usage: smoke URL\n");
    return 2;
  }
  the_library();
  an_amount();
  a_cancelled_client(arguments[1]);
  a_credit_and_its_document(arguments[1]);
  a_query(arguments[1]);
  failures_of_every_kind(arguments[1]);
  nobody_there();
  a_deadline_and_a_cancelled_token(arguments[1]);
  the_longest_timeout(arguments[1]);
  many_calls(arguments[1]);
  printf("%d failures\n", failures);
  return failures != 0;
}
