/*
 * The common part of all contenders. A contender is a program
 *
 *     contender HOST PORT [CA_FILE]
 *
 * (without CA_FILE: plain http). For each line "COUNT" on its standard input it makes COUNT calls, and prints how many
 * nanoseconds they took. It ends at the end of its input, or with a message at the first call that does not return the
 * expected credit.
 */
#ifndef CONTENDER_H
#define CONTENDER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define KEY "0123456789abcdef0123456789abcdef"

/* Each contender defines these. */
static void open_client(const char *host, const char *port, const char *ca_file);
static void call(void);
static void close_client(void);

static void die(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(1);
}

/* The benchmark's server sends 12.345678 and 12.345679 in turn. */
static inline void check_credit(int64_t micros) {
  if (micros / 10 != 1234567) die("not the expected credit");
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc < 3) die("usage: contender HOST PORT [CA_FILE]");
  open_client(argv[1], argv[2], argv[3]);
  char line[32];
  while (fgets(line, sizeof line, stdin)) {
    int64_t begun = now_ns();
    for (long left = atol(line); left > 0; left--) call();
    printf("%lld\n", (long long)(now_ns() - begun));
    fflush(stdout);
  }
  close_client();
  return 0;
}

#endif
