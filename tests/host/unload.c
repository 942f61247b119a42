/* A host that loads a plugin, is called by it and calls into it from several threads, cancels, and unloads it, again
 * and again. Host threads that have been in the plugin live on after it is gone; one is even born for each round
 * and dies after its plugin. A name lookup that the plugin's call gave up on is still running when it goes.
 * Arguments: the plain server's address, the plugin, rounds, and "resident" or "leaves": whether the plugin's own
 * code is to stay mapped after dlclose. */
#include "host.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>

#define KEPT 3

typedef int call_function(const char *url, unsigned timeout_ms);
typedef void start_function(const char *url);
typedef double stop_function(void);

/* Name lookups: the library's own thread for them comes here, and stays for as long as they are held. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static bool a_lookup_began, lookups_held;

/* Found before the C library's, because a program's symbols come first. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  (void)name, (void)service, (void)hints;
  pthread_mutex_lock(&lock);
  a_lookup_began = true;
  while (lookups_held) {
    pthread_cond_wait(&change, &lock);
  }
  pthread_mutex_unlock(&lock);
  *found = NULL;
  return EAI_NONAME;
}

static void hold_lookups(bool held) {
  pthread_mutex_lock(&lock);
  lookups_held = held;
  a_lookup_began = a_lookup_began && !held;
  pthread_cond_broadcast(&change);
  pthread_mutex_unlock(&lock);
}

/* Whether one began since they are held. */
static bool began(void) {
  pthread_mutex_lock(&lock);
  bool began = a_lookup_began;
  pthread_mutex_unlock(&lock);
  return began;
}

static call_function *plugin_call;
static const char *server;

/* Host threads that go into each round's plugin and outlive them all. */
static pthread_barrier_t round_begins, round_ends;
static int over;

static void *kept(void *unused) {
  (void)unused;
  for (;;) {
    pthread_barrier_wait(&round_begins);
    if (over) {
      return NULL;
    }
    CHECK_STATUS(plugin_call(at(server, "/ok"), 60000), FISH_OK);
    CHECK_STATUS(plugin_call(at(server, "/stall"), 5), FISH_TIMED_OUT);
    pthread_barrier_wait(&round_ends);
  }
}

/* A thread that was in the plugin and exits only when it is gone: destructors of thread-local data run then. */
static pthread_barrier_t was_inside, may_exit;

static void *outliving(void *unused) {
  (void)unused;
  CHECK_STATUS(plugin_call(at(server, "/ok"), 60000), FISH_OK);
  /* The lookup is not answered until the plugin is gone. On a busy machine a call's time may be up before one begins. */
  do {
    CHECK_STATUS(plugin_call("https://stuck.test", 20), FISH_TIMED_OUT);
  } while (!began());
  pthread_barrier_wait(&was_inside);
  pthread_barrier_wait(&may_exit);
  return NULL;
}

static void *symbol(void *plugin, const char *name) {
  void *found = dlsym(plugin, name);
  CHECK(found != NULL);
  return found;
}

/* ISO C has no cast from an object pointer to a function's. */
#define FUNCTION(variable, plugin, name)                                                                     \
  do {                                                                                                       \
    void *found_ = symbol(plugin, name);                                                                     \
    memcpy(&(variable), &found_, sizeof found_);                                                             \
  } while (0)

/* Whether the plugin is still mapped after it has been opened, and closed again. */
static int stays(const char *file) {
  void *plugin = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  CHECK(plugin != NULL && dlclose(plugin) == 0);
  plugin = dlopen(file, RTLD_NOW | RTLD_NOLOAD);
  if (plugin != NULL) {
    dlclose(plugin);
  }
  return plugin != NULL;
}

static void *loads_and_calls(void *file) {
  void *plugin = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  CHECK(plugin != NULL);
  call_function *call;
  FUNCTION(call, plugin, "plugin_call");
  CHECK_STATUS(call(at(server, "/ok"), 60000), FISH_OK);
  CHECK(dlclose(plugin) == 0);
  return NULL;
}

/* glibc keeps a plugin while a thread has thread-local destructors in it, and would hide who is not pinned: here the
 * only thread that was inside is gone. */
static void after_its_only_thread(const char *file, int resident) {
  pthread_t thread;
  CHECK(!stays(file));
  CHECK(pthread_create(&thread, NULL, loads_and_calls, (void *)(uintptr_t)file) == 0);
  pthread_join(thread, NULL);
  CHECK(stays(file) == resident);
}

int main(int count, char **arguments) {
  CHECK(count == 5);
  server = arguments[1];
  const char *file = arguments[2];
  int rounds = atoi(arguments[3]);
  int resident = strcmp(arguments[4], "resident") == 0;
  pthread_t threads[KEPT], outlives;
  double slowest_stop = 0;
  int late = 0, tasks = 0, descriptors = 0;

  after_its_only_thread(file, resident);
  measure_lateness();
  pthread_barrier_init(&round_begins, NULL, KEPT + 1);
  pthread_barrier_init(&round_ends, NULL, KEPT + 1);
  pthread_barrier_init(&was_inside, NULL, 2);
  pthread_barrier_init(&may_exit, NULL, 2);
  for (int i = 0; i < KEPT; i++) {
    CHECK(pthread_create(&threads[i], NULL, kept, NULL) == 0);
  }
  for (int round = 0; round < rounds; round++) {
    void *plugin = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (plugin == NULL) {
      fprintf(stderr, "%s\n", dlerror());
      return 1;
    }
    /* RTLD_LOCAL: what the plugin links is nobody else's to find. */
    CHECK(dlsym(RTLD_DEFAULT, "fish_version") == NULL);
    start_function *start;
    stop_function *stop;
    FUNCTION(plugin_call, plugin, "plugin_call");
    FUNCTION(start, plugin, "plugin_start");
    FUNCTION(stop, plugin, "plugin_stop");

    hold_lookups(true);
    start(at(server, round % 2 ? "/stall" : "/ok"));
    CHECK(pthread_create(&outlives, NULL, outliving, NULL) == 0);
    pthread_barrier_wait(&round_begins);
    pthread_barrier_wait(&was_inside);
    pthread_barrier_wait(&round_ends);
    double took = stop();
    slowest_stop = took > slowest_stop ? took : slowest_stop;
    late += took >= prompt_ms();

    CHECK(dlclose(plugin) == 0);
    plugin = dlopen(file, RTLD_NOW | RTLD_NOLOAD);
    CHECK((plugin != NULL) == resident);
    if (plugin != NULL) {
      dlclose(plugin);
    }
    /* Now the lookup may end and the thread may exit, both after their plugin. */
    hold_lookups(false);
    pthread_barrier_wait(&may_exit);
    pthread_join(outlives, NULL);

    /* Nothing is left of a round: no thread, no descriptor. */
    if (round == 0) {
      /* This thread and the one that measures too. */
      tasks = settles("/proc/self/task", KEPT + 2);
      descriptors = entries("/proc/self/fd");
      CHECK(tasks == KEPT + 2);
    }
    CHECK(settles("/proc/self/task", tasks) == tasks);
    CHECK(settles("/proc/self/fd", descriptors) == descriptors);
  }
  end_measuring();
  over = 1;
  pthread_barrier_wait(&round_begins);
  for (int i = 0; i < KEPT; i++) {
    pthread_join(threads[i], NULL);
  }
  pthread_barrier_destroy(&round_begins);
  pthread_barrier_destroy(&round_ends);
  pthread_barrier_destroy(&was_inside);
  pthread_barrier_destroy(&may_exit);
  /* A machine that is busy with other things may be late to run us, now and then; a cancel that was lost would show as
   * the call's timeout, a minute. */
  CHECK(late <= 1 + rounds / 100 && slowest_stop < 30000 * patience());
  printf("%d times loaded and unloaded, %s; slowest teardown %.1f ms, %d late\n", rounds, arguments[4],
         slowest_stop, late);
  return 0;
}
