/*
 * Who owns what: out-parameters are overwritten whatever they held, everything given back is released by its own
 * function, twice if you like, whatever the caller did to the text before. Best run under a memory checker too.
 */
#include "check.h"
#include "every_field.h"

static fish_client *client;

static void scribble(const char *text) {
  if (text != NULL) {
    /* Over its end too: freeing must not look for it. */
    memset((char *)(uintptr_t)text, 'x', strlen(text) + 1);
  }
}

static void scribble_credit(fish_api_credit *credit) {
#define SCRIBBLE(field) scribble(credit->field);
  FISH_API_CREDIT_TEXTS(SCRIBBLE)
#undef SCRIBBLE
  void *owner = credit->owner;
  memset(credit, 0x5A, sizeof *credit);
  credit->owner = owner;
}

static void scribble_error(fish_error *error) {
#define SCRIBBLE(field) scribble(error->field);
  FISH_ERROR_TEXTS(SCRIBBLE)
#undef SCRIBBLE
  for (size_t i = 0; i < error->field_error_count; i++) {
    const fish_field_error *row = &error->field_errors[i];
#define SCRIBBLE(field) scribble(row->field);
    FISH_FIELD_ERROR_TEXTS(SCRIBBLE)
#undef SCRIBBLE
    memset((void *)(uintptr_t)row, 0x5A, sizeof *row);
  }
  void *owner = error->owner;
  memset(error, 0x5A, sizeof *error);
  error->owner = owner;
}

static void free_credit_twice(fish_api_credit *credit) {
  for (int times = 0; times < 2; times++) {
    fish_api_credit_free(credit);
    CHECK(is_zero(credit, sizeof *credit));
  }
}

static void free_error_twice(fish_error *error) {
  for (int times = 0; times < 2; times++) {
    fish_error_free(error);
    CHECK(is_zero(error, sizeof *error));
  }
}

/* One call with old contents everywhere. */
static void call(const char *user_id, fish_status expected, int filler, bool spoil) {
  fish_api_credit_query query = {0};
  fish_api_credit credit;
  fish_error error;
  char *json;
  query.user_id = user_id;

  memset(&credit, filler, sizeof credit);
  memset(&error, filler, sizeof error);
  CHECK_INT(fish_get_api_credit(client, &query, &credit, &error), expected);
  CHECK(expected == FISH_OK ? is_zero(&error, sizeof error) : is_zero(&credit, sizeof credit));
  CHECK((credit.owner != NULL) == (expected == FISH_OK) && (error.owner != NULL) == (expected != FISH_OK));
  CHECK(is_zero(credit.reserved, sizeof credit.reserved) && is_zero(error.reserved, sizeof error.reserved));
  if (spoil) {
    scribble_credit(&credit);
    scribble_error(&error);
  }
  free_credit_twice(&credit);
  free_error_twice(&error);

  memset(&json, filler, sizeof json);
  memset(&error, filler, sizeof error);
  CHECK_INT(fish_get_api_credit_json(client, &query, &json, &error), expected);
  CHECK((json != NULL) == (expected == FISH_OK));
  if (json != NULL) {
    memset(&credit, filler, sizeof credit);
    CHECK_INT(fish_api_credit_from_json(json, strlen(json), &credit, &error), FISH_OK);
    /* The struct owns its strings: it does not look into the document. */
    scribble(spoil ? json : NULL);
    fish_string_free(json);
    CHECK(credit.id != NULL && strlen(credit.id) > 0 && strlen(credit.updated_at) > 0);
    if (spoil) {
      scribble_credit(&credit);
    }
    free_credit_twice(&credit);
  }
  if (spoil) {
    scribble_error(&error);
  }
  free_error_twice(&error);
}

/* The same in the background: its results belong to the caller, not to the call. */
static void background_call(const char *user_id, fish_status expected, int filler, bool spoil) {
  fish_api_credit_query query = {0};
  fish_api_credit credits[2];
  fish_error errors[2];
  char *json[2];
  fish_call *call;
  query.user_id = user_id;
  fish_status started = fish_call_start(client, &query, &call, NULL);
  if (started != FISH_OK) {
    CHECK_INT(started, expected);
    return;
  }
  CHECK_INT(fish_call_wait(call, 60000), FISH_OK);
  for (int times = 0; times < 2; times++) {
    memset(&json[times], filler, sizeof json[times]);
    CHECK_INT(fish_call_result_json(call, &json[times], NULL), expected);
    CHECK((json[times] != NULL) == (expected == FISH_OK));
    memset(&credits[times], filler, sizeof credits[times]);
    memset(&errors[times], filler, sizeof errors[times]);
    CHECK_INT(fish_call_result(call, &credits[times], &errors[times]), expected);
    CHECK(expected == FISH_OK ? is_zero(&errors[times], sizeof errors[times])
                              : is_zero(&credits[times], sizeof credits[times]));
  }
  fish_call_free(call);
  for (int times = 0; times < 2; times++) {
    if (spoil) {
      scribble(json[times]);
      scribble_credit(&credits[times]);
      scribble_error(&errors[times]);
    }
    fish_string_free(json[times]);
    free_credit_twice(&credits[times]);
    free_error_twice(&errors[times]);
  }
}

/* And a watch's state. What is no field is zero, whatever was there. */
static void watched(const char *user_id, fish_status expected, int filler, bool spoil) {
  fish_api_credit_query query = {0};
  fish_watch *watch;
  fish_watch_state state;
  fish_error error;
  query.user_id = user_id;
  fish_status status = fish_watch_start(client, &query, NULL, &watch, NULL);
  if (status != FISH_OK) {
    CHECK_INT(status, expected);
    return;
  }
  for (;;) {
    memset(&state, filler, sizeof state);
    memset(&error, filler, sizeof error);
    status = fish_watch_read(watch, &state, &error);
    CHECK_INT(state.status, status);
    if (status != FISH_PENDING) {
      break;
    }
    fish_watch_state_free(&state);
    fish_error_free(&error);
  }
  CHECK_INT(status, expected);
  fish_watch_free(watch);
  /* Every field by itself into zeroes: what then differs is padding. */
  fish_watch_state fields;
  memset(&fields, 0, sizeof fields);
#define COPY(field) fields.credit.field = state.credit.field;
  FISH_API_CREDIT_TEXTS(COPY)
  FISH_API_CREDIT_NUMBERS(COPY)
  FISH_API_CREDIT_ENUMS(COPY)
#undef COPY
  fields.credit.owner = state.credit.owner;
#define COPY(field) fields.field = state.field;
  FISH_WATCH_STATE_NUMBERS(COPY)
  FISH_WATCH_STATE_ENUMS(COPY)
#undef COPY
  fields.owner = state.owner;
  CHECK(memcmp(&fields, &state, sizeof state) == 0);
  CHECK((state.credit.owner != NULL) == (expected == FISH_OK) && (error.owner != NULL) == (expected != FISH_OK));
  CHECK(expected == FISH_OK ? state.level != FISH_LEVEL_UNKNOWN : is_zero(&state.credit, sizeof state.credit));
  CHECK_INT(state.failures, expected != FISH_OK);
  CHECK_INT((int64_t)state.changes, 1);
  CHECK(state.next_ms > 0);
  if (spoil) {
    void *owner = state.owner;
    scribble_credit(&state.credit);
    void *credit_owner = state.credit.owner;
    memset(&state, 0x5A, sizeof state);
    state.credit.owner = credit_owner;
    state.owner = owner;
    scribble_error(&error);
  }
  for (int times = 0; times < 2; times++) {
    fish_watch_state_free(&state);
    CHECK(is_zero(&state, sizeof state));
  }
  free_error_twice(&error);
}

static void overwritten_without_freeing(void) {
  fish_api_credit first, second;
  CHECK_INT(fish_get_api_credit(client, NULL, &first, NULL), FISH_OK);
  second = first;
  CHECK_INT(fish_get_api_credit(client, NULL, &second, NULL), FISH_OK);
  /* Had the second call freed what was in its struct, this would read freed memory. */
  CHECK_TEXT(first.id, second.id);
  CHECK(first.id != second.id);
  fish_api_credit_free(&first);
  fish_api_credit_free(&second);
}

static void a_copy_moves_the_ownership(void) {
  fish_api_credit credit, moved;
  fish_error error, kept;
  fish_api_credit_query query = {0};
  query.user_id = "422";
  CHECK_INT(fish_get_api_credit(client, NULL, &credit, &error), FISH_OK);
  moved = credit;
  memset(&credit, 0xA5, sizeof credit);
  fish_api_credit_free(&moved);
  CHECK_INT(fish_get_api_credit(client, &query, &credit, &error), FISH_VALIDATION_FAILED);
  kept = error;
  memset(&error, 0xA5, sizeof error);
  CHECK_INT(kept.field_error_count, 2);
  fish_error_free(&kept);
}

static void what_is_passed_in_is_copied(const char *url) {
  char *texts[2];
  static const char *const agent = "studio/2.1";
  texts[0] = malloc(strlen(url) + 1);
  texts[1] = malloc(strlen(agent) + 1);
  CHECK(texts[0] && texts[1]);
  strcpy(texts[0], url);
  strcpy(texts[1], agent);
  fish_client_options *options = malloc(sizeof *options);
  CHECK(options != NULL);
  *options = test_options(texts[0]);
  options->user_agent = texts[1];
  fish_client *made;
  CHECK_INT(fish_client_new(options, &made, NULL), FISH_OK);
  for (int i = 0; i < 2; i++) {
    scribble(texts[i]);
    free(texts[i]);
  }
  memset(options, 0xA5, sizeof *options);
  free(options);
  fish_api_credit credit;
  CHECK_INT(fish_get_api_credit(made, NULL, &credit, NULL), FISH_OK);
  /* What was given outlives the client. */
  fish_client_free(made);
  CHECK_TEXT(credit.credit, "12.345678");
  fish_api_credit_free(&credit);
}

static void a_token_outlives_its_caller(void) {
  fish_api_credit_query query = {0};
  fish_api_credit credit;
  fish_error error;
  query.cancel = fish_cancel_token_new();
  CHECK_INT(fish_get_api_credit(client, &query, &credit, NULL), FISH_OK);
  fish_api_credit_free(&credit);
  fish_cancel_token_cancel(query.cancel);
  fish_cancel_token_cancel(query.cancel);
  CHECK_INT(fish_get_api_credit(client, &query, &credit, &error), FISH_CANCELLED);
  fish_cancel_token_free(query.cancel);
  CHECK(error.message != NULL && strlen(error.message) > 0);
  free_error_twice(&error);
  free_credit_twice(&credit);
}

int main(int argc, char **argv) {
  static const int fillers[] = {0xA5, 0x00, 0xFF, 0xAA};
  static const struct {
    const char *user_id;
    fish_status status;
  } calls[] = {
      {"self", FISH_OK},
      {"bare", FISH_OK},
      {"422", FISH_VALIDATION_FAILED},
      {"429", FISH_RATE_LIMITED},
      {"html", FISH_UNAUTHORIZED},
      {"..", FISH_INVALID_ARGUMENT},
  };
  const char *url = base_url(argc, argv);
  client = test_client(url);
  for (unsigned filler = 0; filler < COUNT(fillers); filler++) {
    for (unsigned i = 0; i < COUNT(calls); i++) {
      call(calls[i].user_id, calls[i].status, fillers[filler], false);
      call(calls[i].user_id, calls[i].status, fillers[filler], true);
      background_call(calls[i].user_id, calls[i].status, fillers[filler], filler % 2);
      watched(calls[i].user_id, calls[i].status, fillers[filler], filler % 2);
    }
  }
  puts("old contents, scribbles and second frees");
  overwritten_without_freeing();
  a_copy_moves_the_ownership();
  what_is_passed_in_is_copied(url);
  a_token_outlives_its_caller();
  puts("copies, options and tokens");
  fish_client_free(client);
  return 0;
}
