/*
 * What every contender shares. A contender is a program
 *
 *     contender HOST PORT CA_FILE THREADS
 *
 * (CA_FILE empty: plain http). For each line "COUNT" on its standard input it makes COUNT calls, divided among
 * its threads, and prints how many nanoseconds they took. The first calls open the connections. It ends with
 * its input, or, saying why, with the first call that gives anything but the expected credit.
 */
#ifndef CONTENDER_H
#define CONTENDER_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What the benchmark's server answers; every call checks it. */
#define EXPECTED_CREDIT_MICROS INT64_C(12345678)
#define KEY "0123456789abcdef0123456789abcdef"

struct server {
  const char *host, *port, *ca_file;
};

/* Each contender defines these. A caller belongs to one thread. */
struct caller;
static struct caller *caller_new(const struct server *server);
static void caller_call(struct caller *caller);
static void caller_free(struct caller *caller);

static void die(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(1);
}

struct share {
  struct caller *caller;
  long count;
};

static void *make_calls(void *argument) {
  const struct share *share = argument;
  for (long i = 0; i < share->count; i++) caller_call(share->caller);
  return NULL;
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

#define MAX_THREADS 64

int main(int argc, char **argv) {
  if (argc != 5) die("usage: contender HOST PORT CA_FILE THREADS");
  const struct server server = {argv[1], argv[2], *argv[3] ? argv[3] : NULL};
  int threads = atoi(argv[4]);
  if (threads < 1 || threads > MAX_THREADS) die("THREADS is out of range");

  struct share shares[MAX_THREADS];
  for (int i = 0; i < threads; i++) shares[i].caller = caller_new(&server);
  char line[32];
  while (fgets(line, sizeof line, stdin)) {
    long count = atol(line);
    for (int i = 0; i < threads; i++) shares[i].count = count / threads;
    int64_t begun = now_ns();
    if (threads == 1) {
      make_calls(&shares[0]);
    } else {
      pthread_t thread[MAX_THREADS];
      for (int i = 0; i < threads; i++)
        if (pthread_create(&thread[i], NULL, make_calls, &shares[i])) die("no thread could be started");
      for (int i = 0; i < threads; i++) pthread_join(thread[i], NULL);
    }
    printf("%lld\n", (long long)(now_ns() - begun));
    fflush(stdout);
  }
  for (int i = 0; i < threads; i++) caller_free(shares[i].caller);
  return 0;
}

#endif
