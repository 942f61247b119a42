/*
 * Every function with NULL in every pointer, alone and together. A function that can fail refuses with a message
 * that names the pointer; one that cannot does nothing. Prints each function with the number of its calls, which
 * tests/c_interface.rs compares with the header.
 */
#include "check.h"

static fish_client *client;
static fish_client_options options;

/* The pointers of a call, by bits: NULL where the bit is set. */
#define IS_NULL(bit) ((nulls >> (bit)) & 1u)
#define UNLESS_NULL(bit, pointer) (IS_NULL(bit) ? NULL : (pointer))

/* What a call that can fail must have reported; `required` are those that may not be NULL. */
static void reported(unsigned nulls, fish_status status, fish_status otherwise, const fish_error *error,
                     const char *const *required, unsigned count) {
  bool named = false, refused = false;
  for (unsigned bit = 0; bit < count; bit++) {
    if (required[bit] != NULL && IS_NULL(bit)) {
      refused = true;
      named = named || (error && error->message && strncmp(error->message, required[bit], strlen(required[bit])) == 0);
    }
  }
  CHECK_INT(status, refused ? FISH_INVALID_ARGUMENT : otherwise);
  if (error != NULL) {
    CHECK_INT(error->status, status);
    CHECK(!refused || named);
    CHECK(status == FISH_OK ? is_zero(error, sizeof *error) : error->message != NULL);
  }
}

static void client_new(unsigned nulls) {
  static const char *const required[] = {NULL, "client is NULL", NULL};
  fish_client *made = (fish_client *)(void *)&options;
  fish_error error;
  memset(&error, 0xA5, sizeof error);
  fish_status defaults = getenv("FISH_API_KEY") ? FISH_OK : FISH_MISSING_API_KEY;
  fish_status status = fish_client_new(UNLESS_NULL(0, &options), UNLESS_NULL(1, &made), UNLESS_NULL(2, &error));
  reported(nulls, status, IS_NULL(0) ? defaults : FISH_OK, UNLESS_NULL(2, &error), required, COUNT(required));
  if (!IS_NULL(1)) {
    CHECK((made != NULL) == (status == FISH_OK));
    fish_client_free(made);
  }
  if (!IS_NULL(2)) {
    fish_error_free(&error);
  }
}

static void get_api_credit(unsigned nulls) {
  static const char *const required[] = {"client is NULL", NULL, "credit is NULL", NULL};
  fish_api_credit_query query = {0};
  fish_api_credit credit;
  fish_error error;
  memset(&credit, 0xA5, sizeof credit);
  memset(&error, 0xA5, sizeof error);
  fish_status status = fish_get_api_credit(UNLESS_NULL(0, client), UNLESS_NULL(1, &query), UNLESS_NULL(2, &credit),
                                           UNLESS_NULL(3, &error));
  reported(nulls, status, FISH_OK, UNLESS_NULL(3, &error), required, COUNT(required));
  if (!IS_NULL(2)) {
    CHECK(status == FISH_OK ? credit.id != NULL : is_zero(&credit, sizeof credit));
    fish_api_credit_free(&credit);
  }
  if (!IS_NULL(3)) {
    fish_error_free(&error);
  }
}

static void get_api_credit_json(unsigned nulls) {
  static const char *const required[] = {"client is NULL", NULL, "json is NULL", NULL};
  fish_api_credit_query query = {0};
  char *json = (char *)&query;
  fish_error error;
  memset(&error, 0xA5, sizeof error);
  fish_status status = fish_get_api_credit_json(UNLESS_NULL(0, client), UNLESS_NULL(1, &query), UNLESS_NULL(2, &json),
                                                UNLESS_NULL(3, &error));
  reported(nulls, status, FISH_OK, UNLESS_NULL(3, &error), required, COUNT(required));
  if (!IS_NULL(2)) {
    CHECK((json != NULL) == (status == FISH_OK));
    fish_string_free(json);
  }
  if (!IS_NULL(3)) {
    fish_error_free(&error);
  }
}

static void from_json(unsigned nulls) {
  static const char *const required[] = {"json is NULL", "credit is NULL", NULL};
  static const char json[] = "{\"_id\":\"a\",\"user_id\":\"b\",\"credit\":\"1\",\"created_at\":\"c\",\"updated_at\":\"d\"}";
  /* A length that fits, none, and one that is no length: NULL is not looked at for any of them. */
  static const size_t lengths[] = {sizeof json - 1, 0, SIZE_MAX};
  for (unsigned i = 0; i < COUNT(lengths); i++) {
    fish_api_credit credit;
    fish_error error;
    memset(&credit, 0xA5, sizeof credit);
    memset(&error, 0xA5, sizeof error);
    fish_status otherwise = i == 0 ? FISH_OK : i == 1 ? FISH_BAD_RESPONSE : FISH_RESPONSE_TOO_LARGE;
    fish_status status = fish_api_credit_from_json(UNLESS_NULL(0, json), lengths[i], UNLESS_NULL(1, &credit),
                                                   UNLESS_NULL(2, &error));
    reported(nulls, status, otherwise, UNLESS_NULL(2, &error), required, COUNT(required));
    if (!IS_NULL(1)) {
      CHECK(status == FISH_OK ? credit.id != NULL : is_zero(&credit, sizeof credit));
      fish_api_credit_free(&credit);
    }
    if (!IS_NULL(2)) {
      fish_error_free(&error);
    }
  }
}

static void version(unsigned nulls) {
  (void)nulls;
  CHECK_TEXT(fish_version(), FISH_VERSION);
}

static void abi_version(unsigned nulls) {
  (void)nulls;
  CHECK_INT(fish_abi_version(), FISH_ABI_VERSION);
}

static void status_name(unsigned nulls) {
  (void)nulls;
  CHECK_TEXT(fish_status_name(FISH_OK), "FISH_OK");
}

static void client_free(unsigned nulls) {
  fish_client *made = test_client(options.base_url);
  fish_client_free(UNLESS_NULL(0, made));
  if (IS_NULL(0)) {
    fish_client_free(made);
  }
}

static void client_cancel(unsigned nulls) {
  fish_client *made = test_client(options.base_url);
  fish_api_credit credit;
  fish_client_cancel(UNLESS_NULL(0, made));
  fish_client_cancel(UNLESS_NULL(0, made));
  CHECK_INT(fish_get_api_credit(made, NULL, &credit, NULL), IS_NULL(0) ? FISH_OK : FISH_CANCELLED);
  fish_api_credit_free(&credit);
  fish_client_free(made);
}

static void format_micros(unsigned nulls) {
  char text[8];
  memset(text, '!', sizeof text);
  CHECK_INT((int64_t)fish_format_micros(-1, 2, UNLESS_NULL(0, text), sizeof text), 5);
  CHECK(memcmp(text, IS_NULL(0) ? "!!!!!!!!" : "-0.01\0!!", sizeof text) == 0);
}

static void credit_free(unsigned nulls) {
  fish_api_credit credit = {0};
  fish_api_credit_free(UNLESS_NULL(0, &credit));
}

static void error_free(unsigned nulls) {
  fish_error error = {0};
  fish_error_free(UNLESS_NULL(0, &error));
}

static void string_free(unsigned nulls) {
  char *json;
  CHECK_INT(fish_get_api_credit_json(client, NULL, &json, NULL), FISH_OK);
  fish_string_free(UNLESS_NULL(0, json));
  if (IS_NULL(0)) {
    fish_string_free(json);
  }
}

static void token_new(unsigned nulls) {
  (void)nulls;
  fish_cancel_token *token = fish_cancel_token_new();
  CHECK(token != NULL);
  fish_cancel_token_free(token);
}

static void token_cancel(unsigned nulls) {
  fish_cancel_token *token = fish_cancel_token_new();
  fish_cancel_token_cancel(UNLESS_NULL(0, token));
  fish_cancel_token_free(token);
}

static void token_free(unsigned nulls) {
  fish_cancel_token *token = fish_cancel_token_new();
  fish_cancel_token_free(UNLESS_NULL(0, token));
  if (IS_NULL(0)) {
    fish_cancel_token_free(token);
  }
}

static fish_call *test_call(void) {
  fish_call *call;
  CHECK_INT(fish_call_start(client, NULL, &call, NULL), FISH_OK);
  CHECK_INT(fish_call_wait(call, 60000), FISH_OK);
  return call;
}

static void call_start(unsigned nulls) {
  static const char *const required[] = {"client is NULL", NULL, "call is NULL", NULL};
  fish_api_credit_query query = {0};
  fish_call *call = (fish_call *)(void *)&query;
  fish_error error;
  memset(&error, 0xA5, sizeof error);
  fish_status status = fish_call_start(UNLESS_NULL(0, client), UNLESS_NULL(1, &query), UNLESS_NULL(2, &call),
                                       UNLESS_NULL(3, &error));
  reported(nulls, status, FISH_OK, UNLESS_NULL(3, &error), required, COUNT(required));
  if (!IS_NULL(2)) {
    CHECK((call != NULL) == (status == FISH_OK));
    fish_call_free(call);
  }
  if (!IS_NULL(3)) {
    fish_error_free(&error);
  }
}

static void call_is_done(unsigned nulls) {
  fish_call *call = test_call();
  CHECK(fish_call_is_done(UNLESS_NULL(0, call)));
  fish_call_free(call);
}

static void call_wait(unsigned nulls) {
  fish_call *call = test_call();
  CHECK_INT(fish_call_wait(UNLESS_NULL(0, call), UINT32_MAX), IS_NULL(0) ? FISH_INVALID_ARGUMENT : FISH_OK);
  fish_call_free(call);
}

static void call_descriptor(unsigned nulls) {
  fish_call *call = test_call();
  CHECK((fish_call_descriptor(UNLESS_NULL(0, call)) == -1) == IS_NULL(0));
  fish_call_free(call);
}

static void call_result(unsigned nulls) {
  static const char *const required[] = {"call is NULL", "credit is NULL", NULL};
  fish_call *call = test_call();
  fish_api_credit credit;
  fish_error error;
  memset(&credit, 0xA5, sizeof credit);
  memset(&error, 0xA5, sizeof error);
  fish_status status = fish_call_result(UNLESS_NULL(0, call), UNLESS_NULL(1, &credit), UNLESS_NULL(2, &error));
  reported(nulls, status, FISH_OK, UNLESS_NULL(2, &error), required, COUNT(required));
  fish_call_free(call);
  if (!IS_NULL(1)) {
    CHECK(status == FISH_OK ? credit.id != NULL : is_zero(&credit, sizeof credit));
    fish_api_credit_free(&credit);
  }
  if (!IS_NULL(2)) {
    fish_error_free(&error);
  }
}

static void call_result_json(unsigned nulls) {
  static const char *const required[] = {"call is NULL", "json is NULL", NULL};
  fish_call *call = test_call();
  char *json = (char *)&call;
  fish_error error;
  memset(&error, 0xA5, sizeof error);
  fish_status status = fish_call_result_json(UNLESS_NULL(0, call), UNLESS_NULL(1, &json), UNLESS_NULL(2, &error));
  reported(nulls, status, FISH_OK, UNLESS_NULL(2, &error), required, COUNT(required));
  fish_call_free(call);
  if (!IS_NULL(1)) {
    CHECK((json != NULL) == (status == FISH_OK));
    fish_string_free(json);
  }
  if (!IS_NULL(2)) {
    fish_error_free(&error);
  }
}

static void call_free(unsigned nulls) {
  fish_call *call = test_call();
  fish_call_free(UNLESS_NULL(0, call));
  if (IS_NULL(0)) {
    fish_call_free(call);
  }
}

static fish_watch *test_watch(void) {
  fish_watch *watch;
  CHECK_INT(fish_watch_start(client, NULL, NULL, &watch, NULL), FISH_OK);
  return watch;
}

static void watch_start(unsigned nulls) {
  static const char *const required[] = {"client is NULL", NULL, NULL, "watch is NULL", NULL};
  fish_api_credit_query query = {0};
  fish_watch_options settings = {0};
  fish_watch *watch = (fish_watch *)(void *)&query;
  fish_error error;
  memset(&error, 0xA5, sizeof error);
  fish_status status = fish_watch_start(UNLESS_NULL(0, client), UNLESS_NULL(1, &query), UNLESS_NULL(2, &settings),
                                        UNLESS_NULL(3, &watch), UNLESS_NULL(4, &error));
  reported(nulls, status, FISH_OK, UNLESS_NULL(4, &error), required, COUNT(required));
  if (!IS_NULL(3)) {
    CHECK((watch != NULL) == (status == FISH_OK));
    fish_watch_free(watch);
  }
  if (!IS_NULL(4)) {
    fish_error_free(&error);
  }
}

static void watch_read(unsigned nulls) {
  static const char *const required[] = {"watch is NULL", "state is NULL", NULL};
  fish_watch *watch = test_watch();
  fish_watch_state state;
  fish_error error;
  fish_status status;
  /* Its first reading takes a moment. */
  do {
    memset(&state, 0xA5, sizeof state);
    memset(&error, 0xA5, sizeof error);
    status = fish_watch_read(UNLESS_NULL(0, watch), UNLESS_NULL(1, &state), UNLESS_NULL(2, &error));
    if (status == FISH_PENDING) {
      CHECK(!IS_NULL(0) && !IS_NULL(1));
      CHECK_INT(state.status, FISH_PENDING);
      CHECK(is_zero(&state.credit, sizeof state.credit));
      CHECK(IS_NULL(2) || is_zero(&error, sizeof error));
      fish_watch_state_free(&state);
    }
  } while (status == FISH_PENDING);
  reported(nulls, status, FISH_OK, UNLESS_NULL(2, &error), required, COUNT(required));
  fish_watch_free(watch);
  if (!IS_NULL(1)) {
    CHECK(status == FISH_OK ? state.credit.id != NULL : is_zero(&state, sizeof state));
    fish_watch_state_free(&state);
  }
  if (!IS_NULL(2)) {
    fish_error_free(&error);
  }
}

static void watch_refresh(unsigned nulls) {
  fish_watch *watch = test_watch();
  fish_watch_refresh(UNLESS_NULL(0, watch));
  fish_watch_free(watch);
}

static void watch_descriptor(unsigned nulls) {
  fish_watch *watch = test_watch();
  CHECK((fish_watch_descriptor(UNLESS_NULL(0, watch)) == -1) == IS_NULL(0));
  fish_watch_free(watch);
}

static void watch_state_free(unsigned nulls) {
  fish_watch_state state = {0};
  fish_watch_state_free(UNLESS_NULL(0, &state));
}

static void watch_free(unsigned nulls) {
  fish_watch *watch = test_watch();
  fish_watch_free(UNLESS_NULL(0, watch));
  if (IS_NULL(0)) {
    fish_watch_free(watch);
  }
}

static const struct {
  const char *name;
  unsigned pointers;
  void (*call)(unsigned nulls);
} functions[] = {
    {"fish_version", 0, version},
    {"fish_abi_version", 0, abi_version},
    {"fish_status_name", 0, status_name},
    {"fish_client_new", 3, client_new},
    {"fish_client_cancel", 1, client_cancel},
    {"fish_client_free", 1, client_free},
    {"fish_get_api_credit", 4, get_api_credit},
    {"fish_api_credit_free", 1, credit_free},
    {"fish_format_micros", 1, format_micros},
    {"fish_get_api_credit_json", 4, get_api_credit_json},
    {"fish_string_free", 1, string_free},
    {"fish_api_credit_from_json", 3, from_json},
    {"fish_error_free", 1, error_free},
    {"fish_cancel_token_new", 0, token_new},
    {"fish_cancel_token_cancel", 1, token_cancel},
    {"fish_cancel_token_free", 1, token_free},
    {"fish_call_start", 4, call_start},
    {"fish_call_is_done", 1, call_is_done},
    {"fish_call_wait", 1, call_wait},
    {"fish_call_descriptor", 1, call_descriptor},
    {"fish_call_result", 3, call_result},
    {"fish_call_result_json", 3, call_result_json},
    {"fish_call_free", 1, call_free},
    {"fish_watch_start", 5, watch_start},
    {"fish_watch_read", 3, watch_read},
    {"fish_watch_refresh", 1, watch_refresh},
    {"fish_watch_descriptor", 1, watch_descriptor},
    {"fish_watch_state_free", 1, watch_state_free},
    {"fish_watch_free", 1, watch_free},
};

int main(int argc, char **argv) {
  options = test_options(base_url(argc, argv));
  client = test_client(options.base_url);
  for (unsigned i = 0; i < COUNT(functions); i++) {
    for (unsigned nulls = 0; nulls < 1u << functions[i].pointers; nulls++) {
      functions[i].call(nulls);
    }
    printf("%s %u\n", functions[i].name, 1u << functions[i].pointers);
  }
  fish_client_free(client);
  return 0;
}
