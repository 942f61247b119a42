/* Handles freed while they are used: a client while calls are under way, a client and a token by the very thread that
 * their cancel wakes, before the cancelling function has returned. Run under memcheck and the sanitizers too.
 * Arguments: the plain server's address, rounds. */
#include "host.h"

#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#define CALLS 4

static const char *server;

/* 1. A client is freed, or cancelled and freed, while threads wait in it: they return at once. */
static struct {
  fish_client *client;
  atomic_int tasks[CALLS];
} shared;

static void *one_call(void *own) {
  atomic_store((atomic_int *)own, (int)syscall(SYS_gettid));
  CHECK_STATUS(ask(shared.client, 60000, NULL), FISH_CANCELLED);
  return NULL;
}

static double freed_while_calls_wait(const char *behaviour, int cancelled_first) {
  pthread_t threads[CALLS];
  shared.client = new_client(at(server, behaviour), NULL);
  for (int i = 0; i < CALLS; i++) {
    atomic_store(&shared.tasks[i], 0);
    CHECK(pthread_create(&threads[i], NULL, one_call, &shared.tasks[i]) == 0);
  }
  for (int i = 0; i < CALLS; i++) {
    while (!is_asleep(atomic_load(&shared.tasks[i]))) {
      sched_yield();
    }
  }
  double begun = now_ms();
  if (cancelled_first) {
    fish_client_cancel(shared.client);
  }
  fish_client_free(shared.client);
  for (int i = 0; i < CALLS; i++) {
    pthread_join(threads[i], NULL);
  }
  return now_ms() - begun;
}

/* 2. A cancelled client stays cancelled, for every thread that calls with it. */
static void *until_cancelled(void *client) {
  fish_status status;
  do {
    status = ask(client, 60000, NULL);
  } while (status == FISH_OK);
  CHECK_STATUS(status, FISH_CANCELLED);
  return NULL;
}

static void *cancel_client(void *client) {
  fish_client_cancel(client);
  return NULL;
}

static void cancelled_for_all(void) {
  fish_client *client = new_client(at(server, "/ok"), NULL);
  pthread_t threads[CALLS], cancelling[2];
  for (int i = 0; i < CALLS; i++) {
    CHECK(pthread_create(&threads[i], NULL, until_cancelled, client) == 0);
  }
  for (int i = 0; i < 2; i++) {
    CHECK(pthread_create(&cancelling[i], NULL, cancel_client, client) == 0);
  }
  for (int i = 0; i < CALLS; i++) {
    pthread_join(threads[i], NULL);
  }
  for (int i = 0; i < 2; i++) {
    pthread_join(cancelling[i], NULL);
  }
  CHECK_STATUS(ask(client, 60000, NULL), FISH_CANCELLED);
  fish_client_free(client);
}

/* 3. Whoever is woken frees what woke it. The descriptor that the handle had is the host's now: nobody writes there. */
static void frees_and_takes_over(void *client, fish_cancel_token *token) {
  int taken[4];
  fish_client_free(client);
  fish_cancel_token_free(token);
  for (int i = 0; i < 4; i++) {
    taken[i] = eventfd(0, EFD_NONBLOCK);
    CHECK(taken[i] >= 0);
  }
  sched_yield();
  for (int i = 0; i < 4; i++) {
    eventfd_t written;
    CHECK(eventfd_read(taken[i], &written) != 0);
    close(taken[i]);
  }
}

static void *frees_the_client(void *client) {
  until_cancelled(client);
  frees_and_takes_over(client, NULL);
  return NULL;
}

static fish_client *asked;

static void *frees_the_token(void *token) {
  fish_status status;
  do {
    status = ask(asked, 60000, token);
  } while (status == FISH_OK);
  CHECK_STATUS(status, FISH_CANCELLED);
  frees_and_takes_over(NULL, token);
  return NULL;
}

static void freed_by_whom_it_wakes(void) {
  pthread_t thread;
  fish_client *client = new_client(at(server, "/ok"), NULL);
  CHECK(pthread_create(&thread, NULL, frees_the_client, client) == 0);
  fish_client_cancel(client);
  pthread_join(thread, NULL);

  fish_cancel_token *token = fish_cancel_token_new();
  CHECK(pthread_create(&thread, NULL, frees_the_token, token) == 0);
  fish_cancel_token_cancel(token);
  pthread_join(thread, NULL);
}

int main(int count, char **arguments) {
  CHECK(count == 3);
  server = arguments[1];
  int rounds = atoi(arguments[2]), descriptors = 0, late = 0;
  measure_lateness();
  asked = new_client(at(server, "/ok"), NULL);
  CHECK_STATUS(ask(asked, 60000, NULL), FISH_OK);
  for (int round = 0; round < rounds; round++) {
    for (int i = 0; i < 4; i++) {
      double took = freed_while_calls_wait(i % 2 ? "/drip" : "/stall", i / 2);
      late += took >= prompt_ms();
      /* A cancel that was lost would show as the call's timeout, a minute. */
      CHECK(took < 30000 * patience());
    }
    cancelled_for_all();
    freed_by_whom_it_wakes();
    /* A call that was cancelled half way took its connection with it. */
    CHECK_STATUS(ask(asked, 60000, NULL), FISH_OK);
    if (round == 0) {
      descriptors = entries("/proc/self/fd");
    }
    CHECK(settles("/proc/self/fd", descriptors) == descriptors);
  }
  end_measuring();
  /* A busy machine may be late to run us, now and then. */
  CHECK(late <= 1 + rounds / 50);
  fish_client_free(asked);
  printf("%d rounds of handles freed while they were used\n", rounds);
  return 0;
}
