/* This library's watch: requests each reading by a refresh, waits for it by the descriptor, and reads it. The server's
 * credit changes with every response, so every reading is a change. */
#include <fish_api_credit.h>
#include <poll.h>

#include "contender.h"
#include "ours.h"

static fish_watch *watch;

static void next_reading(void) {
  fish_watch_state state;
  fish_error error;
  struct pollfd changed = {.fd = (int)fish_watch_descriptor(watch), .events = POLLIN};
  if (poll(&changed, 1, 15000) != 1) die("the watch did not change in time");
  if (fish_watch_read(watch, &state, &error) || state.status) die(error.message);
  check_credit(state.credit.credit_micros);
  fish_watch_state_free(&state);
}

static void call(void) {
  fish_watch_refresh(watch);
  next_reading();
}

static void open_client(const char *host, const char *port, const char *ca_file) {
  connect_client(host, port, ca_file);
  fish_error error;
  fish_watch_options options = {.interval_ms = 3600000};
  if (fish_watch_start(client, NULL, &options, &watch, &error)) die(error.message);
  next_reading();
}

static void close_client(void) {
  fish_watch_free(watch);
  fish_client_free(client);
}
