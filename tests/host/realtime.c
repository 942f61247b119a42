/*
 * Cancels from a fresh thread, as a real-time audio thread would, while counting every allocation of the
 * process. The library is loaded at run time, so that its thread-local storage is the kind that is allocated on a
 * thread's first use of it.
 *
 * realtime LIBRARY
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "fish_api_credit.h"

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static _Thread_local bool counting;
static atomic_uint allocations;

static void count(void) {
  if (counting) atomic_fetch_add(&allocations, 1);
}

void *malloc(size_t size) { count(); return __libc_malloc(size); }
void *calloc(size_t n, size_t size) { count(); return __libc_calloc(n, size); }
void *realloc(void *old, size_t size) { count(); return __libc_realloc(old, size); }
void *memalign(size_t align, size_t size) { count(); return __libc_memalign(align, size); }
void *aligned_alloc(size_t align, size_t size) { count(); return __libc_memalign(align, size); }

static void (*cancel)(fish_cancel_token *);
static fish_cancel_token *(*new_token)(void);

static void *audio_thread(void *token) {
  counting = true;
  cancel(token);
  counting = false;
  return NULL;
}

static void *careless_thread(void *unused) {
  (void)unused;
  counting = true;
  free(malloc(1));
  counting = false;
  return NULL;
}

static unsigned in_thread(void *(*body)(void *), void *argument) {
  pthread_t thread;
  atomic_store(&allocations, 0);
  if (pthread_create(&thread, NULL, body, argument) != 0) abort();
  pthread_join(thread, NULL);
  return atomic_load(&allocations);
}

int main(int count_of_arguments, char **arguments) {
  if (count_of_arguments != 2) return 2;
  void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  *(void **)&cancel = dlsym(library, "fish_cancel_token_cancel");
  *(void **)&new_token = dlsym(library, "fish_cancel_token_new");
  fish_cancel_token *token = new_token();
  if (token == NULL) return 1;
  printf("a careless thread allocates %u\n", in_thread(careless_thread, NULL));
  printf("a cancelling thread allocates %u\n", in_thread(audio_thread, token));
  return 0;
}
