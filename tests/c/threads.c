/*
 * Threads that share one client: some ask and are answered, some wait for a server that says nothing until the
 * main thread cancels them, all at once with one token. Windows threads on Windows, pthreads elsewhere.
 */
#include "check.h"

#ifdef _WIN32
#include <windows.h>
typedef HANDLE thread;
#define THREAD_FUNCTION(name) static DWORD WINAPI name(void *argument)
static thread start(LPTHREAD_START_ROUTINE run, void *argument) {
  thread made = CreateThread(NULL, 0, run, argument, 0, NULL);
  CHECK(made != NULL);
  return made;
}
static void join(thread one) {
  CHECK(WaitForSingleObject(one, INFINITE) == WAIT_OBJECT_0);
  CloseHandle(one);
}
#else
#include <pthread.h>
typedef pthread_t thread;
#define THREAD_FUNCTION(name) static void *name(void *argument)
static thread start(void *(*run)(void *), void *argument) {
  thread made;
  CHECK(pthread_create(&made, NULL, run, argument) == 0);
  return made;
}
static void join(thread one) { CHECK(pthread_join(one, NULL) == 0); }
#endif

enum { ASKING = 2, WAITING = 2, CALLS = 50, ROUNDS = 10 };

static fish_client *client;
static fish_cancel_token *token;

THREAD_FUNCTION(ask) {
  (void)argument;
  for (int i = 0; i < CALLS; i++) {
    fish_api_credit credit;
    fish_error error;
    CHECK_INT(fish_get_api_credit(client, NULL, &credit, &error), FISH_OK);
    CHECK_INT(credit.credit_micros, 12345678);
    fish_api_credit_free(&credit);
  }
  return 0;
}

THREAD_FUNCTION(wait_for_nothing) {
  fish_api_credit_query query = {0};
  fish_api_credit credit;
  fish_error error;
  query.user_id = "stall";
  query.cancel = token;
  /* Without the cancel it would end with the 60 seconds of its timeout, and fail for it. */
  CHECK_INT(fish_get_api_credit(client, &query, &credit, &error), FISH_CANCELLED);
  CHECK_INT(error.http_status, 0);
  CHECK(is_zero(&credit, sizeof credit) && error.message != NULL);
  fish_error_free(&error);
  *(fish_status *)argument = FISH_CANCELLED;
  return 0;
}

THREAD_FUNCTION(cancel) {
  (void)argument;
  fish_cancel_token_cancel(token);
  return 0;
}

int main(int argc, char **argv) {
  client = test_client(base_url(argc, argv));
  for (int round = 0; round < ROUNDS; round++) {
    thread asking[ASKING], waiting[WAITING];
    fish_status ended[WAITING] = {0};
    token = fish_cancel_token_new();
    for (int i = 0; i < WAITING; i++) {
      waiting[i] = start(wait_for_nothing, &ended[i]);
    }
    for (int i = 0; i < ASKING; i++) {
      asking[i] = start(ask, NULL);
    }
    /* In some rounds before the calls have begun, in others long after. */
    if (round % 2 == 0) {
      ask(NULL);
    }
    thread canceller = start(cancel, NULL);
    join(canceller);
    for (int i = 0; i < WAITING; i++) {
      join(waiting[i]);
      CHECK_INT(ended[i], FISH_CANCELLED);
    }
    for (int i = 0; i < ASKING; i++) {
      join(asking[i]);
    }
    fish_cancel_token_free(token);
  }
  printf("%d rounds: %d threads asked %d times each, %d were cancelled\n", ROUNDS, ASKING, CALLS, WAITING);
  fish_client_free(client);
  return 0;
}
