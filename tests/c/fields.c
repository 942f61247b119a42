/*
 * Every field that comes back, printed and compared: of a whole answer, of a bare one, and of three failures.
 * The answers are those of tests/support/routes.rs.
 */
#include "check.h"
#include "every_field.h"

static fish_client *client;

static const char *or_null(const char *text) { return text ? text : "NULL"; }

static void print_credit(const char *name, const fish_api_credit *credit) {
#define PRINT(field) printf("%s." #field " = %s\n", name, or_null(credit->field));
  FISH_API_CREDIT_TEXTS(PRINT)
#undef PRINT
#define PRINT(field) printf("%s." #field " = %" PRId64 "\n", name, (int64_t)credit->field);
  FISH_API_CREDIT_NUMBERS(PRINT)
  FISH_API_CREDIT_ENUMS(PRINT)
#undef PRINT
}

static void print_error(const char *name, const fish_error *error) {
  printf("%s.status = %s\n", name, fish_status_name(error->status));
#define PRINT(field) printf("%s." #field " = %" PRId64 "\n", name, (int64_t)error->field);
  FISH_ERROR_NUMBERS(PRINT)
#undef PRINT
#define PRINT(field) printf("%s." #field " = %s\n", name, or_null(error->field));
  FISH_ERROR_TEXTS(PRINT)
#undef PRINT
  for (size_t i = 0; i < error->field_error_count; i++) {
    const fish_field_error *row = &error->field_errors[i];
    printf("%s.field_errors[%u] = %s, %s, %s, %s, %s\n", name, (unsigned)i, or_null(row->location),
           or_null(row->source), or_null(row->type), or_null(row->message), or_null(row->context));
  }
}

static void check_full(const fish_api_credit *credit) {
  CHECK_TEXT(credit->id, "0123456789abcdef0123456789abcdef");
  CHECK_TEXT(credit->user_id, "fedcba9876543210fedcba9876543210");
  CHECK_TEXT(credit->credit, "12.345678");
  CHECK_TEXT(credit->cumulative_top_up, "20.00");
  CHECK_TEXT(credit->created_at, "2025-01-02T03:04:05Z");
  CHECK_TEXT(credit->updated_at, "2026-08-01T12:34:56.789012Z");
  CHECK_INT(credit->credit_micros, 12345678);
  CHECK_INT(credit->cumulative_top_up_micros, 20000000);
  CHECK_INT(credit->created_at_unix_us, INT64_C(1735787045000000));
  CHECK_INT(credit->updated_at_unix_us, INT64_C(1785587696789012));
  CHECK(credit->credit_micros_exact);
  CHECK_INT(credit->has_phone_sha256, FISH_TRUE);
  CHECK_INT(credit->has_free_credit, FISH_UNKNOWN);
  CHECK(is_zero(credit->reserved, sizeof credit->reserved));
}

/* As snprintf: what fits is written, what does not is cut, and the length is that of the whole. */
static void amounts(void) {
  static const struct {
    int64_t micros;
    uint32_t decimals;
    size_t size;
    const char *text;
    size_t length;
  } rows[] = {
      {12345678, 2, 32, "12.34", 5},
      {12345678, 2, 6, "12.34", 5},
      {12345678, 2, 5, "12.3", 5},
      {12345678, 9, 32, "12.345678", 9},
      {-1, 2, 32, "-0.01", 5},
      {-1, 0, 1, "", 2},
      {INT64_MIN, 6, 32, "-9223372036854.775808", 21},
      {INT64_MAX, 0, 32, "9223372036854", 13},
  };
  for (unsigned i = 0; i < COUNT(rows); i++) {
    char text[33];
    memset(text, '!', sizeof text);
    CHECK_INT((int64_t)fish_format_micros(rows[i].micros, rows[i].decimals, text, rows[i].size),
              (int64_t)rows[i].length);
    CHECK_TEXT(text, rows[i].text);
    CHECK(text[rows[i].size] == '!');
    memset(text, '!', sizeof text);
    CHECK_INT((int64_t)fish_format_micros(rows[i].micros, rows[i].decimals, text, 0), (int64_t)rows[i].length);
    CHECK(text[0] == '!');
  }
}

static void full(void) {
  fish_api_credit credit;
  fish_error error;
  CHECK_INT(fish_get_api_credit(client, NULL, &credit, &error), FISH_OK);
  print_credit("full", &credit);
  check_full(&credit);
  CHECK_TEXT(credit.request_id, "trace-200");
  fish_api_credit_free(&credit);

  char *json;
  CHECK_INT(fish_get_api_credit_json(client, NULL, &json, &error), FISH_OK);
  CHECK(json[0] == '{' && json[strlen(json) - 1] == '}');
  CHECK_INT(fish_api_credit_from_json(json, strlen(json), &credit, &error), FISH_OK);
  check_full(&credit);
  CHECK_TEXT(credit.request_id, NULL);
  fish_api_credit_free(&credit);
  /* Cut anywhere, it is no document. */
  for (size_t length = 0; length < strlen(json); length++) {
    CHECK_INT(fish_api_credit_from_json(json, length, &credit, &error), FISH_BAD_RESPONSE);
    CHECK(error.message != NULL && is_zero(&credit, sizeof credit));
    fish_error_free(&error);
  }
  fish_string_free(json);
}

static void bare(void) {
  fish_api_credit_query query = {0};
  fish_api_credit credit;
  query.user_id = "bare";
  CHECK_INT(fish_get_api_credit(client, &query, &credit, NULL), FISH_OK);
  print_credit("bare", &credit);
  CHECK_TEXT(credit.id, "a");
  CHECK_TEXT(credit.user_id, "b");
  CHECK_TEXT(credit.credit, "-0.0000001");
  CHECK_TEXT(credit.cumulative_top_up, NULL);
  CHECK_TEXT(credit.created_at, "once");
  CHECK_TEXT(credit.updated_at, "1970-01-01T00:00:00Z");
  CHECK_INT(credit.credit_micros, -1);
  CHECK_INT(credit.cumulative_top_up_micros, 0);
  CHECK_INT(credit.created_at_unix_us, FISH_TIME_UNKNOWN);
  CHECK_INT(credit.updated_at_unix_us, 0);
  CHECK(!credit.credit_micros_exact);
  CHECK_INT(credit.has_phone_sha256, FISH_UNKNOWN);
  CHECK_INT(credit.has_free_credit, FISH_UNKNOWN);
  CHECK_TEXT(credit.request_id, NULL);
  fish_api_credit_free(&credit);
}

static void query_reaches_the_server(void) {
  fish_api_credit_query query = {0};
  fish_api_credit credit;
  query.user_id = "echo";
  query.team_id = "a b";
  query.check_free_credit = true;
  CHECK_INT(fish_get_api_credit(client, &query, &credit, NULL), FISH_OK);
  CHECK_TEXT(credit.user_id, "a%20b");
  CHECK_INT(credit.has_free_credit, FISH_TRUE);
  fish_api_credit_free(&credit);
  query.team_id = NULL;
  query.check_free_credit = false;
  CHECK_INT(fish_get_api_credit(client, &query, &credit, NULL), FISH_OK);
  CHECK_TEXT(credit.user_id, "none");
  CHECK_INT(credit.has_free_credit, FISH_FALSE);
  fish_api_credit_free(&credit);
}

static fish_error failure(const char *user_id, fish_status status) {
  fish_api_credit_query query = {0};
  fish_api_credit credit;
  fish_error error;
  query.user_id = user_id;
  CHECK_INT(fish_get_api_credit(client, &query, &credit, &error), status);
  print_error(user_id, &error);
  CHECK_INT(error.status, status);
  CHECK_INT(error.attempts, 1);
  CHECK(error.message != NULL && strstr(error.message, "sk-test") == NULL);
  CHECK(is_zero(error.reserved, sizeof error.reserved));
  return error;
}

static void failures(void) {
  fish_error error = failure("422", FISH_VALIDATION_FAILED);
  CHECK_INT(error.http_status, 422);
  CHECK_INT(error.retry_after_ms, 0);
  CHECK(!error.retryable);
  CHECK_TEXT(error.api_reason, NULL);
  CHECK_TEXT(error.request_id, "trace-422");
  CHECK(error.body != NULL && error.body[0] == '[');
  CHECK_INT((int64_t)error.field_error_count, 2);
  CHECK_TEXT(error.field_errors[0].location, "query.check_free_credit");
  CHECK_TEXT(error.field_errors[0].source, "query");
  CHECK_TEXT(error.field_errors[0].type, "bool_parsing");
  CHECK_TEXT(error.field_errors[0].message, "Input should be a valid boolean");
  CHECK_TEXT(error.field_errors[0].context, "{\"input\":\"maybe\"}");
  CHECK_TEXT(error.field_errors[1].location, "path.0");
  CHECK_TEXT(error.field_errors[1].source, NULL);
  CHECK_TEXT(error.field_errors[1].type, "missing");
  CHECK_TEXT(error.field_errors[1].message, "Field required");
  CHECK_TEXT(error.field_errors[1].context, NULL);
  fish_error_free(&error);

  error = failure("429", FISH_RATE_LIMITED);
  CHECK_INT(error.http_status, 429);
  CHECK_INT(error.retry_after_ms, 7000);
  CHECK(error.retryable);
  CHECK_TEXT(error.api_message, "slow down");
  CHECK_TEXT(error.api_reason, "rate_limited");
  CHECK_TEXT(error.request_id, "trace-429");
  CHECK_TEXT(error.body, "{\"status\":429,\"message\":\"slow down\",\"reason\":\"rate_limited\"}");
  CHECK(error.field_errors == NULL && error.field_error_count == 0);
  fish_error_free(&error);

  error = failure("html", FISH_UNAUTHORIZED);
  CHECK_INT(error.http_status, 401);
  CHECK_INT(error.retry_after_ms, 0);
  CHECK(!error.retryable);
  CHECK_TEXT(error.api_message, NULL);
  CHECK_TEXT(error.api_reason, NULL);
  CHECK_TEXT(error.request_id, NULL);
  CHECK_TEXT(error.body, "<html>no</html>");
  CHECK(error.field_errors == NULL && error.field_error_count == 0);
  fish_error_free(&error);
}

int main(int argc, char **argv) {
  client = test_client(base_url(argc, argv));
  amounts();
  full();
  bare();
  query_reaches_the_server();
  failures();
  fish_client_free(client);
  return 0;
}
