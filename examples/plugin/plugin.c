/* A plugin that shows the account's API credit. Opening starts a watch, drawing reads it, which never waits for the
 * network, and closing frees it. The plugin needs no thread and no lock of its own. */
#include "meter.h"

#include <stdio.h>

#include "fish_api_credit.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT meter_open_function meter_open;
EXPORT meter_draw_function meter_draw;
EXPORT meter_close_function meter_close;

static fish_client *client;
static fish_watch *watch;

int meter_open(const char *base_url) {
  fish_client_options options = {0};
  fish_watch_options reading = {0};
  fish_error error;
  options.base_url = base_url;
  options.user_agent = "fish-meter/1.0";
  reading.low_micros = 1000000; /* 1.00 */
  /* The key comes from FISH_API_KEY here; a real plugin asks its user. */
  if (fish_client_new(&options, &client, &error) == FISH_OK &&
      fish_watch_start(client, NULL, &reading, &watch, &error) == FISH_OK) {
    return 1;
  }
  fprintf(stderr, "fish-meter: %s\n", error.message);
  fish_error_free(&error);
  meter_close();
  return 0;
}

void meter_draw(char *text, unsigned long size) {
  fish_watch_state state;
  fish_error error;
  fish_status status = fish_watch_read(watch, &state, &error);
  if (state.credit.credit != NULL) {
    /* After a failure this is the last credit that was read. */
    const char *low = state.level >= FISH_LEVEL_LOW ? ", low" : "", *old = status == FISH_OK ? "" : " (old)";
    snprintf(text, size, "API credit: $%s%s%s", state.credit.credit, low, old);
  } else if (status == FISH_PENDING) {
    snprintf(text, size, "API credit: ...");
  } else {
    snprintf(text, size, "API credit unknown: %s", error.message);
  }
  fish_error_free(&error);
  fish_watch_state_free(&state);
}

void meter_close(void) {
  /* Neither waits: a running reading is cancelled, and its thread ends by itself. */
  fish_watch_free(watch);
  fish_client_free(client);
  watch = NULL;
  client = NULL;
}
