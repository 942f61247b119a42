/* The plugin that unload.c and copies.c load. It is built against the shared library, and again with the static
 * one inside. It exports three functions, and no symbol of the library. */
#include "host.h"

#define EXPORT __attribute__((visibility("default")))
#define WORKERS 3

static struct {
  fish_client *client;
  fish_cancel_token *cancel;
  pthread_t workers[WORKERS];
  char url[256];
} state;

/* One call from the host's thread, with a client of its own; the status. */
EXPORT int plugin_call(const char *url, unsigned timeout_ms) {
  fish_client *client = new_client(url, NULL);
  fish_status status = ask(client, timeout_ms, NULL);
  fish_client_free(client);
  return status;
}

static void *work(void *unused) {
  fish_status status;
  (void)unused;
  do {
    status = ask(state.client, 60000, state.cancel);
  } while (status == FISH_OK);
  CHECK_STATUS(status, FISH_CANCELLED);
  return NULL;
}

/* Threads of the plugin's own, which call until they are cancelled. */
EXPORT void plugin_start(const char *url) {
  snprintf(state.url, sizeof state.url, "%s", url);
  state.client = new_client(state.url, NULL);
  state.cancel = fish_cancel_token_new();
  for (int i = 0; i < WORKERS; i++) {
    CHECK(pthread_create(&state.workers[i], NULL, work, NULL) == 0);
  }
}

/* Teardown as docs/plugins.md has it: cancel, join, free. Gives how long it took, in milliseconds. */
EXPORT double plugin_stop(void) {
  double begun = now_ms();
  fish_cancel_token_cancel(state.cancel);
  for (int i = 0; i < WORKERS; i++) {
    pthread_join(state.workers[i], NULL);
  }
  fish_cancel_token_free(state.cancel);
  fish_client_free(state.client);
  return now_ms() - begun;
}

/* An address inside the copy of the library that this plugin uses. */
EXPORT const void *plugin_library(void) { return fish_version(); }
