/* How much stack the library needs of a calling thread. Each scene runs on a stack that was filled with a pattern;
 * what of it is overwritten was used. Then each runs on a thread that has only the limit. Arguments: the plain
 * server's address, the TLS server's, its certificate, the limit in KiB for the thread. */
#include "host.h"

#include <limits.h>
#include <sys/mman.h>

#define MEASURED ((size_t)1024 * 1024)
#define PATTERN 0xA5

static const char *plain, *tls, *ca_file;

static void *nothing(void *unused) { return unused; }

static void *plain_call(void *unused) {
  fish_client *client = new_client(at(plain, "/ok"), NULL);
  CHECK_STATUS(ask(client, 15000, NULL), FISH_OK);
  CHECK_STATUS(ask(client, 15000, NULL), FISH_OK);
  fish_client_free(client);
  return unused;
}

static void *error_answer(void *unused) {
  fish_client *client = new_client(at(plain, "/422"), NULL);
  CHECK_STATUS(ask(client, 15000, NULL), FISH_VALIDATION_FAILED);
  fish_client_free(client);
  return unused;
}

static void *json_call(void *unused) {
  fish_client *client = new_client(at(plain, "/ok"), NULL);
  fish_api_credit credit;
  char *json;
  CHECK_STATUS(fish_get_api_credit_json(client, NULL, &json, NULL), FISH_OK);
  CHECK_STATUS(fish_api_credit_from_json(json, strlen(json), &credit, NULL), FISH_OK);
  fish_api_credit_free(&credit);
  fish_string_free(json);
  fish_client_free(client);
  return unused;
}

static void *handshake(void *unused) {
  fish_client *client = new_client(at(tls, "/ok"), ca_file);
  CHECK_STATUS(ask(client, 15000, NULL), FISH_OK);
  CHECK_STATUS(ask(client, 15000, NULL), FISH_OK);
  fish_client_free(client);
  return unused;
}

/* A chain that leads to none of the bundled roots. */
static void *refused_handshake(void *unused) {
  fish_client *client = new_client(at(tls, "/ok"), NULL);
  CHECK_STATUS(ask(client, 15000, NULL), FISH_TLS_FAILED);
  fish_client_free(client);
  return unused;
}

static void *system_roots(void *unused) {
  fish_client_options options = {0};
  fish_client *client;
  fish_error error;
  options.api_key = "k";
  options.base_url = at(tls, "/ok");
  options.proxy_url = "";
  options.max_retries = -1;
  options.tls_roots = FISH_TLS_ROOTS_SYSTEM;
  /* A machine without certificates says so; that needs stack too. */
  if (fish_client_new(&options, &client, &error) == FISH_OK) {
    CHECK_STATUS(ask(client, 15000, NULL), FISH_TLS_FAILED);
  } else {
    CHECK_STATUS(error.status, FISH_TLS_FAILED);
  }
  fish_error_free(&error);
  fish_client_free(client);
  return unused;
}

static void *lookup(void *unused) {
  fish_client *client = new_client("https://nowhere.invalid", NULL);
  fish_status status = ask(client, 300, NULL);
  CHECK(status == FISH_RESOLVE_FAILED || status == FISH_TIMED_OUT);
  fish_client_free(client);
  return unused;
}

static void *cancelled(void *unused) {
  fish_client *client = new_client(at(plain, "/ok"), NULL);
  fish_cancel_token *token = fish_cancel_token_new();
  fish_cancel_token_cancel(token);
  CHECK_STATUS(ask(client, 15000, token), FISH_CANCELLED);
  fish_cancel_token_free(token);
  fish_client_free(client);
  return unused;
}

static size_t used_by(void *(*scene)(void *)) {
  unsigned char *stack = mmap(NULL, MEASURED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  pthread_attr_t attributes;
  pthread_t thread;
  CHECK(stack != MAP_FAILED);
  memset(stack, PATTERN, MEASURED);
  pthread_attr_init(&attributes);
  CHECK(pthread_attr_setstack(&attributes, stack, MEASURED) == 0);
  CHECK(pthread_create(&thread, &attributes, scene, NULL) == 0);
  pthread_join(thread, NULL);
  size_t untouched = 0;
  while (untouched < MEASURED && stack[untouched] == PATTERN) {
    untouched++;
  }
  munmap(stack, MEASURED);
  return MEASURED - untouched;
}

int main(int count, char **arguments) {
  CHECK(count == 5);
  plain = arguments[1], tls = arguments[2], ca_file = arguments[3];
  size_t limit = (size_t)atoi(arguments[4]) * 1024;
  const struct {
    const char *name;
    void *(*scene)(void *);
  } scenes[] = {
      {"a call", plain_call},
      {"an error answer", error_answer},
      {"the JSON, and decoding it", json_call},
      {"a TLS handshake", handshake},
      {"a refused handshake", refused_handshake},
      {"the system's roots", system_roots},
      {"a name lookup", lookup},
      {"a cancelled call", cancelled},
  };
  /* What every thread pays: its descriptor and thread-local storage lie on its stack too. */
  size_t bare = used_by(nothing);
  printf("%-26s %6zu bytes\n", "an empty thread", bare);
  for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
    size_t used = used_by(scenes[i].scene);
    printf("%-26s %6zu bytes\n", scenes[i].name, used);
  }
  fflush(stdout);
  for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    CHECK(pthread_attr_setstacksize(&attributes, limit) == 0);
    CHECK(pthread_create(&thread, &attributes, scenes[i].scene, NULL) == 0);
    pthread_join(thread, NULL);
  }
  printf("each also on a stack of %zu KiB\n", limit / 1024);
  return 0;
}
