/* Threads that their host ends with pthread_cancel while they are inside the library. The thread ends, but after the
 * function: it has returned, what it made is whole, and the thread's cancel state is what it was.
 * Arguments: the plain server's address, the TLS server's, its certificate, rounds. */
#include "host.h"

#include <stdatomic.h>
#include <sys/syscall.h>

static const char *plain, *ca_file, *document;
static fish_client *client;

static void quick_call(void) {
  fish_api_credit credit;
  fish_error error;
  fish_get_api_credit(client, NULL, &credit, &error);
  fish_api_credit_free(&credit);
  fish_error_free(&error);
}

static void quick_json(void) {
  char *json;
  fish_get_api_credit_json(client, NULL, &json, NULL);
  fish_string_free(json);
}

static void failing_call(void) {
  fish_api_credit_query query = {0};
  fish_api_credit credit;
  fish_error error;
  query.user_id = "..";
  fish_get_api_credit(client, &query, &credit, &error);
  fish_error_free(&error);
}

/* Reads the certificates, and frees a client that has a connection to close. */
static void make_client(void) {
  fish_client *made = new_client(at(plain, "/ok"), ca_file);
  fish_api_credit credit;
  fish_get_api_credit(made, NULL, &credit, NULL);
  fish_api_credit_free(&credit);
  fish_client_cancel(made);
  fish_client_free(made);
}

static void decode(void) {
  fish_api_credit credit;
  fish_api_credit_from_json(document, strlen(document), &credit, NULL);
  fish_api_credit_free(&credit);
}

static void make_token(void) {
  fish_cancel_token *token = fish_cancel_token_new();
  fish_cancel_token_cancel(token);
  fish_cancel_token_free(token);
}

static void background_call(void) {
  fish_call *call;
  fish_api_credit credit;
  fish_error error;
  char *json;
  fish_client *made = new_client(at(plain, "/ok"), NULL);
  CHECK_STATUS(fish_call_start(made, NULL, &call, NULL), FISH_OK);
  CHECK(fish_call_descriptor(call) >= 3);
  CHECK_STATUS(fish_call_wait(call, 60000), FISH_OK);
  CHECK(fish_call_is_done(call));
  CHECK_STATUS(fish_call_result(call, &credit, &error), FISH_OK);
  CHECK_STATUS(fish_call_result_json(call, &json, NULL), FISH_OK);
  fish_string_free(json);
  fish_api_credit_free(&credit);
  fish_error_free(&error);
  fish_call_free(call);
  fish_client_free(made);
}

static void follow(void) {
  fish_watch *watch;
  fish_watch_state state;
  fish_error error;
  fish_client *made = new_client(at(plain, "/ok"), NULL);
  CHECK_STATUS(fish_watch_start(made, NULL, NULL, &watch, NULL), FISH_OK);
  CHECK(fish_watch_descriptor(watch) >= 3);
  fish_watch_refresh(watch);
  while (fish_watch_read(watch, &state, &error) == FISH_PENDING) {
    fish_watch_state_free(&state);
    fish_error_free(&error);
    sched_yield();
  }
  CHECK_STATUS(state.status, FISH_OK);
  fish_watch_state_free(&state);
  fish_error_free(&error);
  fish_watch_free(watch);
  fish_client_free(made);
}

static void ask_the_library(void) {
  char text[32];
  CHECK(fish_version() != NULL && fish_abi_version() == FISH_ABI_VERSION && fish_status_name(FISH_OK) != NULL);
  CHECK(fish_format_micros(12345678, 2, text, sizeof text) == 5);
}

/* Between them they call every function of the header, which tests/host.rs sees to. */
static const struct work {
  const char *name;
  void (*run)(void);
} works[] = {
    {"a call", quick_call},        {"a call for JSON", quick_json}, {"a refused call", failing_call},
    {"a client", make_client},     {"a document", decode},          {"a token", make_token},
    {"a background call", background_call},                         {"a watch", follow},
    {"the library", ask_the_library},
};
enum { WORKS = sizeof works / sizeof *works };

/* The thread's own view of how it can be cancelled, which nothing of the library's may change. */
static void check_cancellable(int type) {
  int state, now;
  pthread_setcanceltype(type, &now);
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
  CHECK(state == PTHREAD_CANCEL_ENABLE && now == type);
}

/* 1. Cancelled before it calls: whatever in the function is a cancellation point would end the thread there. */
static pthread_barrier_t started, cancelled;
static atomic_int returned;

static void *call_when_cancelled(void *argument) {
  const struct work *work = argument;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
  pthread_barrier_wait(&started);
  pthread_barrier_wait(&cancelled);
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
  work->run();
  check_cancellable(PTHREAD_CANCEL_DEFERRED);
  atomic_store(&returned, 1);
  pthread_testcancel();
  return NULL;
}

static void pending(const struct work *work) {
  pthread_t thread;
  void *end;
  atomic_store(&returned, 0);
  CHECK(pthread_create(&thread, NULL, call_when_cancelled, (void *)(uintptr_t)work) == 0);
  pthread_barrier_wait(&started);
  CHECK(pthread_cancel(thread) == 0);
  pthread_barrier_wait(&cancelled);
  CHECK(pthread_join(thread, &end) == 0);
  CHECK(end == PTHREAD_CANCELED && atomic_load(&returned));
}

/* 2. A host that keeps its threads from being cancelled finds that unchanged too. */
static void held_off(const struct work *work) {
  int state;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
  work->run();
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
  CHECK(state == PTHREAD_CANCEL_DISABLE);
}

/* 3. Cancelled at any moment while it calls again and again. */
static atomic_int turns;
static int turning_type;

static void *call_for_ever(void *argument) {
  const struct work *work = argument;
  pthread_setcanceltype(turning_type, NULL);
  for (;;) {
    work->run();
    atomic_fetch_add(&turns, 1);
    pthread_testcancel();
  }
  return NULL;
}

static void at_any_moment(const struct work *work, int type, int round) {
  pthread_t thread;
  void *end;
  turning_type = type;
  atomic_store(&turns, 0);
  CHECK(pthread_create(&thread, NULL, call_for_ever, (void *)(uintptr_t)work) == 0);
  while (atomic_load(&turns) < 1 + round % 3) {
    sched_yield();
  }
  CHECK(pthread_cancel(thread) == 0);
  CHECK(pthread_join(thread, &end) == 0 && end == PTHREAD_CANCELED);
}

/* 4. Cancelled while it waits for the network, in a call or for one in the background, in either cancel type. */
static struct waiting {
  const fish_client *client;
  const fish_call *call;
  fish_cancel_token *token;
  int type;
  atomic_int task;
  fish_api_credit credit;
  fish_error error;
} waiting;

static void *wait_for_the_network(void *unused) {
  (void)unused;
  fish_api_credit_query query = {0};
  query.cancel = waiting.token;
  query.timeout_ms = 60000;
  atomic_store(&waiting.task, (int)syscall(SYS_gettid));
  pthread_setcanceltype(waiting.type, NULL);
  if (waiting.call != NULL) {
    fish_call_wait(waiting.call, 60000);
  } else {
    fish_get_api_credit(waiting.client, &query, &waiting.credit, &waiting.error);
  }
  check_cancellable(waiting.type);
  atomic_store(&returned, 1);
  pthread_testcancel();
  return NULL;
}

static void in_a_wait(const char *url, int type, int in_background) {
  pthread_t thread;
  void *end;
  fish_client *made = new_client(url, ca_file);
  fish_call *call = NULL;
  waiting.client = made;
  waiting.token = fish_cancel_token_new();
  waiting.type = type;
  if (in_background) {
    fish_api_credit_query query = {0};
    query.cancel = waiting.token;
    query.timeout_ms = 60000;
    CHECK_STATUS(fish_call_start(made, &query, &call, NULL), FISH_OK);
  }
  waiting.call = call;
  atomic_store(&waiting.task, 0);
  atomic_store(&returned, 0);
  memset(&waiting.credit, 0xAA, sizeof waiting.credit);
  memset(&waiting.error, 0xAA, sizeof waiting.error);
  CHECK(pthread_create(&thread, NULL, wait_for_the_network, NULL) == 0);
  while (!is_asleep(atomic_load(&waiting.task))) {
    sched_yield();
  }
  CHECK(pthread_cancel(thread) == 0);
  /* It goes on waiting: only the library's own cancel ends the call. */
  fish_cancel_token_cancel(waiting.token);
  CHECK(pthread_join(thread, &end) == 0 && end == PTHREAD_CANCELED);
  /* An asynchronous cancel acts when the function has done its work and puts the thread's state back. */
  CHECK(atomic_load(&returned) == (type == PTHREAD_CANCEL_DEFERRED));
  if (call != NULL) {
    CHECK_STATUS(fish_call_wait(call, 60000), FISH_OK);
    fish_call_result(call, &waiting.credit, &waiting.error);
    fish_call_free(call);
  }
  CHECK_STATUS(waiting.error.status, FISH_CANCELLED);
  CHECK(waiting.error.message != NULL && waiting.credit.id == NULL);
  fish_error_free(&waiting.error);
  fish_cancel_token_free(waiting.token);
  fish_client_free(made);
}

int main(int count, char **arguments) {
  CHECK(count == 5);
  plain = arguments[1];
  ca_file = arguments[3];
  int rounds = atoi(arguments[4]), descriptors = 0;
  char *json;
  client = new_client(at(plain, "/ok"), NULL);
  CHECK_STATUS(fish_get_api_credit_json(client, NULL, &json, NULL), FISH_OK);
  document = json;
  pthread_barrier_init(&started, NULL, 2);
  pthread_barrier_init(&cancelled, NULL, 2);
  for (int round = 0; round < rounds; round++) {
    for (int i = 0; i < WORKS; i++) {
      pending(&works[i]);
      held_off(&works[i]);
      at_any_moment(&works[i], PTHREAD_CANCEL_DEFERRED, round);
    }
    /* With nothing in its hands that would be lost. Many times: the moment is often in the host's own code. */
    for (int times = 0; times < 20; times++) {
      at_any_moment(&works[WORKS - 1], PTHREAD_CANCEL_ASYNCHRONOUS, times);
    }
    for (int type = 0; type < 2; type++) {
      static const int types[] = {PTHREAD_CANCEL_DEFERRED, PTHREAD_CANCEL_ASYNCHRONOUS};
      in_a_wait(at(plain, "/stall"), types[type], 0);
      in_a_wait(at(plain, "/drip"), types[type], 0);
      in_a_wait(at(arguments[2], "/stall"), types[type], 0);
      in_a_wait(at(plain, "/stall"), types[type], 1);
    }
    /* Nothing that a cancelled thread had in its hands is left; a watch's thread ends a little later. */
    CHECK(settles("/proc/self/task", 1) == 1);
    if (round == 0) {
      descriptors = entries("/proc/self/fd");
    }
  }
  CHECK(settles("/proc/self/fd", descriptors) == descriptors);
  fish_client_free(client);
  fish_string_free(json);
  pthread_barrier_destroy(&started);
  pthread_barrier_destroy(&cancelled);
  printf("%d rounds of cancelled threads\n", rounds);
  return 0;
}
