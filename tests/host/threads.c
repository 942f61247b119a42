/* Eight threads share a client and a token: calls that succeed, calls that fail, a cancel from three threads at
 * once while all eight wait, and the token freed while they still do. Run under memcheck, AddressSanitizer and
 * ThreadSanitizer too. Arguments: the plain server's address, the TLS server's, its certificate, rounds. */
#include "host.h"

#define THREADS 8

struct job {
  const fish_client *client;
  fish_cancel_token *cancel;
  pthread_barrier_t *ready;
  fish_status want;
  int calls;
};

static void *work(void *argument) {
  struct job *job = argument;
  pthread_barrier_wait(job->ready);
  for (int i = 0; i < job->calls; i++) {
    CHECK_STATUS(ask(job->client, 60000, job->cancel), job->want);
  }
  return NULL;
}

/* Lets all threads loose on a server; when they are to be cancelled, does so once they wait. */
static void together(const char *url, const char *ca_file, fish_status want, int calls) {
  fish_client *client = new_client(url, ca_file);
  fish_cancel_token *cancel = fish_cancel_token_new();
  pthread_barrier_t ready;
  pthread_t threads[THREADS];
  struct job job = {client, cancel, &ready, want, calls};
  CHECK(cancel != NULL);
  pthread_barrier_init(&ready, NULL, THREADS + 1);
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_create(&threads[i], NULL, work, &job) == 0);
  }
  pthread_barrier_wait(&ready);
  if (want == FISH_CANCELLED) {
    sleep_ms(20);
    fish_cancel_token_cancel(cancel);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
  }
  fish_cancel_token_free(cancel);
  fish_client_free(client);
  pthread_barrier_destroy(&ready);
}

struct late {
  const fish_client *client;
  fish_cancel_token *cancel;
  pthread_barrier_t *ready;
};

static void *wait_for_cancel(void *argument) {
  struct late *late = argument;
  CHECK_STATUS(ask(late->client, 60000, late->cancel), FISH_CANCELLED);
  return NULL;
}

static void *cancel(void *argument) {
  struct late *late = argument;
  pthread_barrier_wait(late->ready);
  fish_cancel_token_cancel(late->cancel);
  pthread_barrier_wait(late->ready);
  return NULL;
}

/* The calls keep their own share of a token: it may be freed right after it was cancelled. */
static void cancelled_thrice_then_freed(const char *url) {
  fish_client *client = new_client(url, NULL);
  pthread_barrier_t ready;
  pthread_t callers[THREADS], cancellers[3];
  struct late late = {client, fish_cancel_token_new(), &ready};
  int descriptors = entries("/proc/self/fd");
  pthread_barrier_init(&ready, NULL, 4);
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_create(&callers[i], NULL, wait_for_cancel, &late) == 0);
  }
  for (int i = 0; i < 3; i++) {
    CHECK(pthread_create(&cancellers[i], NULL, cancel, &late) == 0);
  }
  /* A caller with a socket has taken its share: now the token may go. */
  CHECK(settles("/proc/self/fd", descriptors + THREADS) == descriptors + THREADS);
  pthread_barrier_wait(&ready);
  pthread_barrier_wait(&ready);
  fish_cancel_token_free(late.cancel);
  for (int i = 0; i < 3; i++) {
    pthread_join(cancellers[i], NULL);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(callers[i], NULL);
  }
  fish_client_free(client);
  pthread_barrier_destroy(&ready);
}

int main(int count, char **arguments) {
  CHECK(count == 5);
  const char *plain = arguments[1], *tls = arguments[2], *ca_file = arguments[3];
  int rounds = atoi(arguments[4]);
  for (int round = 0; round < rounds; round++) {
    together(at(plain, "/ok"), NULL, FISH_OK, 10);
    together(at(tls, "/ok"), ca_file, FISH_OK, 2);
    together(at(plain, "/shut"), NULL, FISH_OK, 5);
    together(at(plain, "/422"), NULL, FISH_VALIDATION_FAILED, 5);
    together(at(plain, "/drop"), NULL, FISH_CONNECTION_LOST, 5);
    together(at(plain, "/stall"), NULL, FISH_CANCELLED, 1);
    together(at(tls, "/drip"), ca_file, FISH_CANCELLED, 1);
    cancelled_thrice_then_freed(at(plain, "/stall"));
  }
  printf("%d threads, %d rounds of 8 scenes\n", THREADS, rounds);
  return 0;
}
