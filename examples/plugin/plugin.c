/* A plugin that shows the account's API credit. Copy its shape: one worker thread makes the calls, the UI thread
 * only ever copies a line of text, and closing cancels the call under way before it waits for the worker. */
#include "meter.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fish_api_credit.h"

#define EXPORT __attribute__((visibility("default")))
#define SECONDS_BETWEEN_CALLS 60

EXPORT meter_open_function meter_open;
EXPORT meter_draw_function meter_draw;
EXPORT meter_close_function meter_close;

static fish_client *client;
static fish_cancel_token *cancel;
static pthread_t worker;

/* Held for a copy of a line, never during a call. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t closed;
static int closing;
static char line[128];

static void show(const char *label, const char *text) {
  pthread_mutex_lock(&lock);
  snprintf(line, sizeof line, "%s%s", label, text);
  pthread_mutex_unlock(&lock);
}

/* 0 if the plugin is being closed. */
static int sleep_until_next_call(void) {
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_sec += SECONDS_BETWEEN_CALLS;
  pthread_mutex_lock(&lock);
  while (!closing && pthread_cond_timedwait(&closed, &lock, &end) != ETIMEDOUT) {
  }
  int go_on = !closing;
  pthread_mutex_unlock(&lock);
  return go_on;
}

static void *work(void *unused) {
  (void)unused;
  fish_api_credit_query query = {0};
  query.cancel = cancel;
  do {
    fish_api_credit credit;
    fish_error error;
    if (fish_get_api_credit(client, &query, &credit, &error) == FISH_OK) {
      show("API credit: $", credit.credit);
    } else if (error.status != FISH_CANCELLED) {
      /* What was shown before may be wrong by now; say why. */
      show("API credit unknown: ", error.message);
    }
    fish_api_credit_free(&credit);
    fish_error_free(&error);
  } while (sleep_until_next_call());
  return NULL;
}

int meter_open(const char *base_url) {
  fish_client_options options = {0};
  fish_error error;
  pthread_condattr_t monotonic;
  options.base_url = base_url;
  options.user_agent = "fish-meter/1.0";
  /* Sends nothing, so the UI thread may do it. The key comes from FISH_API_KEY here; a real plugin asks its user. */
  if (fish_client_new(&options, &client, &error) != FISH_OK) {
    fprintf(stderr, "fish-meter: %s\n", error.message);
    fish_error_free(&error);
    return 0;
  }
  closing = 0;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&closed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  show("API credit: ", "...");
  cancel = fish_cancel_token_new();
  if (cancel == NULL || pthread_create(&worker, NULL, work, NULL) != 0) {
    fish_cancel_token_free(cancel);
    fish_client_free(client);
    pthread_cond_destroy(&closed);
    return 0;
  }
  return 1;
}

void meter_draw(char *text, unsigned long size) {
  pthread_mutex_lock(&lock);
  snprintf(text, size, "%s", line);
  pthread_mutex_unlock(&lock);
}

void meter_close(void) {
  pthread_mutex_lock(&lock);
  closing = 1;
  pthread_cond_signal(&closed);
  pthread_mutex_unlock(&lock);
  /* First cancel, then join: the call under way returns within 100 ms, whatever the network does. */
  fish_cancel_token_cancel(cancel);
  pthread_join(worker, NULL);
  /* Only now does nobody use them. */
  fish_cancel_token_free(cancel);
  fish_client_free(client);
  pthread_cond_destroy(&closed);
}
