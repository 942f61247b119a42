/*
 * What the C tests share: checks that say where they failed, and a client for the scripted server whose URL is
 * the program's argument (tests/support/routes.rs). C11 and nothing of one system only.
 */
#ifndef CHECK_H
#define CHECK_H

#include <fish_api_credit.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(what) ((what) ? (void)0 : check_failed(__FILE__, __LINE__, #what, ""))
#define CHECK_IN(what, where) ((what) ? (void)0 : check_failed(__FILE__, __LINE__, #what, where))
#define CHECK_TEXT(got, expected) check_text(__FILE__, __LINE__, #got, got, expected)
#define CHECK_INT(got, expected) check_int(__FILE__, __LINE__, #got, got, expected)
#define COUNT(array) (sizeof(array) / sizeof *(array))

static inline void check_failed(const char *file, int line, const char *what, const char *where) {
  printf("%s:%d: not so: %s %s\n", file, line, what, where);
  exit(1);
}

static inline void check_text(const char *file, int line, const char *what, const char *got, const char *expected) {
  if (got == NULL ? expected != NULL : expected == NULL || strcmp(got, expected) != 0) {
    printf("%s:%d: %s is %s, not %s\n", file, line, what, got ? got : "NULL", expected ? expected : "NULL");
    exit(1);
  }
}

static inline void check_int(const char *file, int line, const char *what, int64_t got, int64_t expected) {
  if (got != expected) {
    printf("%s:%d: %s is %" PRId64 ", not %" PRId64 "\n", file, line, what, got, expected);
    exit(1);
  }
}

static inline bool is_zero(const void *start, size_t size) {
  const unsigned char *bytes = start;
  for (size_t i = 0; i < size; i++) {
    if (bytes[i] != 0) {
      return false;
    }
  }
  return true;
}

static inline const char *base_url(int argc, char **argv) {
  if (argc != 2) {
    printf("usage: %s BASE_URL\n", argv[0]);
    exit(2);
  }
  return argv[1];
}

static inline fish_client_options test_options(const char *url) {
  fish_client_options options = {0};
  options.api_key = "sk-test-0123456789abcdef";
  options.base_url = url;
  options.proxy_url = "";
  options.timeout_ms = 60000;
  options.max_retries = -1;
  return options;
}

static inline fish_client *test_client(const char *url) {
  fish_client_options options = test_options(url);
  fish_client *client;
  fish_error error;
  if (fish_client_new(&options, &client, &error) != FISH_OK) {
    check_failed(__FILE__, __LINE__, "fish_client_new", error.message);
  }
  return client;
}

#endif
