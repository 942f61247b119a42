/* What the host programs share: a check that says where it failed, the clock, and short names for the calls. */
#ifndef HOST_H
#define HOST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fish_api_credit.h"

#define CHECK(condition)                                                                                     \
  do {                                                                                                       \
    if (!(condition)) {                                                                                      \
      fprintf(stderr, "%s:%d: pid %d: not so: %s\n", __FILE__, __LINE__, (int)getpid(), #condition);         \
      abort();                                                                                               \
    }                                                                                                        \
  } while (0)

#define CHECK_STATUS(got, want) check_status(got, want, __FILE__, __LINE__)

static inline void check_status(fish_status got, fish_status want, const char *file, int line) {
  if (got != want) {
    fprintf(stderr, "%s:%d: pid %d: status %d, not %d\n", file, line, (int)getpid(), (int)got, (int)want);
    abort();
  }
}

static inline double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static inline void sleep_ms(long ms) {
  struct timespec left = {ms / 1000, ms % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0) {
  }
}

/* "http://127.0.0.1:80" and "/ok" make "http://127.0.0.1:80/ok", in one of a few static buffers per thread. */
static inline const char *at(const char *base, const char *path) {
  static _Thread_local char text[4][256];
  static _Thread_local unsigned next;
  char *to = text[next++ % 4];
  snprintf(to, sizeof text[0], "%s%s", base, path);
  return to;
}

/* How long this thread has been ready to run while others had the processors, in ms; 0 where the system does not say. */
static inline double queued_ms(void) {
  long long nanoseconds = 0;
  FILE *file = fopen("/proc/thread-self/schedstat", "r");
  if (file != NULL) {
    CHECK(fscanf(file, "%*s %lld", &nanoseconds) == 1);
    fclose(file);
  }
  return (double)nanoseconds / 1e6;
}

/* How late a thread that sleeps in short steps has woken up at most, in ms: a machine that is too busy wakes everybody
 * late. */
static double latest;
static int measuring;
static pthread_t steps;

static void *sleep_in_steps(void *unused) {
  (void)unused;
  while (__atomic_load_n(&measuring, __ATOMIC_ACQUIRE)) {
    double due = now_ms() + 5, before;
    sleep_ms(5);
    double late = now_ms() - due;
    __atomic_load(&latest, &before, __ATOMIC_ACQUIRE);
    if (late > before) {
      __atomic_store(&latest, &late, __ATOMIC_RELEASE);
    }
  }
  return NULL;
}

static inline void measure_lateness(void) {
  measuring = 1;
  CHECK(pthread_create(&steps, NULL, sleep_in_steps, NULL) == 0);
}

static inline void end_measuring(void) {
  __atomic_store_n(&measuring, 0, __ATOMIC_RELEASE);
  pthread_join(steps, NULL);
}

/* How long promises are stretched: a program under valgrind or a sanitizer is tens of times slower. */
static inline double patience(void) {
  const char *text = getenv("FISH_HOST_PATIENCE");
  return text ? atof(text) : 1;
}

/* What the end of cancelled calls may take: the promise, and for threads that wait for each other (the one that cancels,
 * those that call, the one that joins them) what the machine took. */
static inline double prompt_ms(void) {
  double late;
  __atomic_load(&latest, &late, __ATOMIC_ACQUIRE);
  return 100 * patience() + 4 * late;
}

static inline fish_client *new_client(const char *url, const char *ca_file) {
  fish_client_options options = {0};
  fish_client *client = NULL;
  fish_error error;
  options.api_key = "a-key-of-the-host-tests";
  options.base_url = url;
  options.ca_file = ca_file;
  options.proxy_url = "";
  options.max_retries = -1;
  /* Eight handshakes at once take a while under valgrind. */
  options.connect_timeout_ms = (uint32_t)(30000 * patience());
  if (fish_client_new(&options, &client, &error) != FISH_OK) {
    fprintf(stderr, "fish_client_new: %s\n", error.message);
    abort();
  }
  return client;
}

/* One call, its answer looked at and released. */
static inline fish_status ask(const fish_client *client, uint32_t timeout_ms, fish_cancel_token *cancel) {
  fish_api_credit_query query = {0};
  fish_api_credit credit;
  fish_error error;
  query.timeout_ms = timeout_ms;
  query.cancel = cancel;
  fish_status status = fish_get_api_credit(client, &query, &credit, &error);
  CHECK(status == error.status);
  if (status == FISH_OK) {
    CHECK(strcmp(credit.credit, "12.345678") == 0 && credit.credit_micros == 12345678);
  } else {
    CHECK(error.message != NULL && credit.credit == NULL);
  }
  fish_api_credit_free(&credit);
  fish_error_free(&error);
  return status;
}

/* How many entries /proc/self/task or /proc/self/fd has; the look at it is not counted. */
static inline int entries(const char *folder) {
  int count = 0;
  DIR *dir = opendir(folder);
  CHECK(dir != NULL);
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    char target[64] = "", link[300];
    if (entry->d_name[0] == '.') {
      continue;
    }
    /* valgrind's own, at the far end, come and go. */
    if (strstr(folder, "fd") && (atoi(entry->d_name) == dirfd(dir) || atoi(entry->d_name) > 900)) {
      continue;
    }
    snprintf(link, sizeof link, "%s/%s", folder, entry->d_name);
    if (readlink(link, target, sizeof target - 1) < 0 && strstr(folder, "fd")) {
      continue;
    }
    count++;
  }
  closedir(dir);
  return count;
}

/* Whether a thread (by its id; 0 is none yet) waits in the kernel. */
static inline int is_asleep(int task) {
  char path[64], text[256] = "";
  if (task == 0) {
    return 0;
  }
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", task);
  FILE *file = fopen(path, "r");
  CHECK(file != NULL && fgets(text, sizeof text, file) != NULL);
  fclose(file);
  return strstr(text, ") S ") != NULL;
}

/* Waits until there are that many: the kernel lets go of a joined thread's entry a little later. */
static inline int settles(const char *folder, int want) {
  double end = now_ms() + 30000 * patience();
  int count;
  while ((count = entries(folder)) != want && now_ms() < end) {
    sleep_ms(5);
  }
  return count;
}

#endif
