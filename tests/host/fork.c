/* Forking with clients and tokens alive, and while other threads are inside calls: the child goes on with its
 * parent's client, with a new one and with its parent's token, and neither process notices the other. A child that
 * hangs is killed by its alarm, and fails the test. Arguments: the plain server's address, the TLS server's, its
 * certificate, rounds, and "first" for the forks at the first calls alone. */
#include "host.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define THREADS 4

static const char *plain, *tls, *ca_file;

/* Runs `scene` in a forked child and gives its pid. */
static pid_t in_child(void (*scene)(void *), void *argument) {
  fflush(stdout);
  pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    alarm((unsigned)(120 * patience()));
    scene(argument);
    /* Not exit(): what the parent registered for its own end is the parent's. */
    _exit(0);
  }
  return pid;
}

static void join_child(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    CHECK(errno == EINTR);
  }
  if (status != 0) {
    fprintf(stderr, "a child ended with %s %d\n", WIFSIGNALED(status) ? "signal" : "exit status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    abort();
  }
}

static double cpu_ms(void) {
  struct rusage used;
  getrusage(RUSAGE_THREAD, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

struct clients {
  fish_client *plain, *tls, *hang;
};

static void calls_on(const struct clients *clients) {
  CHECK_STATUS(ask(clients->plain, 15000, NULL), FISH_OK);
  CHECK_STATUS(ask(clients->tls, 15000, NULL), FISH_OK);
  CHECK_STATUS(ask(clients->hang, 10, NULL), FISH_TIMED_OUT);
}

static void *calls_on_thread(void *argument) {
  calls_on(argument);
  return NULL;
}

static void child(void *argument) {
  struct clients *inherited = argument;
  calls_on(inherited);
  struct clients own = {new_client(at(plain, "/ok"), NULL), new_client(at(tls, "/ok"), ca_file),
                        new_client(at(plain, "/stall"), NULL)};
  calls_on(&own);
  /* Threads may be started in a child too. */
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, calls_on_thread, inherited) == 0);
  calls_on(&own);
  pthread_join(thread, NULL);
  fish_client_free(own.plain);
  fish_client_free(own.tls);
  fish_client_free(own.hang);
  /* Freed here, alive in the parent. */
  fish_client_free(inherited->plain);
  fish_client_free(inherited->tls);
  fish_client_free(inherited->hang);
}

static void grandchild(void *argument) {
  struct clients *inherited = argument;
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, calls_on_thread, inherited) == 0);
  /* While that thread makes this process's first call on the inherited client. */
  pid_t pid = in_child(child, inherited);
  pthread_join(thread, NULL);
  join_child(pid);
}

static int over;

static void *busy(void *argument) {
  struct clients *clients = argument;
  while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
    calls_on(clients);
    fish_client *fleeting = new_client(at(plain, "/422"), NULL);
    CHECK_STATUS(ask(fleeting, 15000, NULL), FISH_VALIDATION_FAILED);
    fish_client_free(fleeting);
  }
  return NULL;
}

static struct clients make_clients(void) {
  struct clients clients = {new_client(at(plain, "/ok"), NULL), new_client(at(tls, "/ok"), ca_file),
                            new_client(at(plain, "/stall"), NULL)};
  return clients;
}

static void free_clients(struct clients *clients) {
  fish_client_free(clients->plain);
  fish_client_free(clients->tls);
  fish_client_free(clients->hang);
}

/* The parent is quiet when it forks; its idle connections are then open in both. */
static void while_idle(int rounds) {
  for (int round = 0; round < rounds; round++) {
    struct clients clients = make_clients();
    calls_on(&clients);
    pid_t pid = in_child(round % 2 ? grandchild : child, &clients);
    calls_on(&clients);
    join_child(pid);
    calls_on(&clients);
    free_clients(&clients);
  }
}

/* Other threads are anywhere inside the library when the parent forks. */
static void while_busy(int rounds) {
  struct clients clients = make_clients();
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_create(&threads[i], NULL, busy, &clients) == 0);
  }
  for (int round = 0; round < rounds; round++) {
    join_child(in_child(round % 4 == 3 ? grandchild : child, &clients));
  }
  __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
  }
  free_clients(&clients);
}

static void *first_call(void *argument) {
  pthread_barrier_wait(argument);
  fish_client *client = new_client(at(plain, "/ok"), NULL);
  CHECK_STATUS(ask(client, 15000, NULL), FISH_OK);
  fish_client_free(client);
  return NULL;
}

static void first_call_alone(void *unused) {
  (void)unused;
  fish_client *client = new_client(at(plain, "/ok"), NULL);
  CHECK_STATUS(ask(client, 15000, NULL), FISH_OK);
  fish_client_free(client);
}

/* Forks while other threads of this process make the first calls of all, which set the library up. */
static void fork_at_first_calls(void *seed) {
  srand(*(unsigned *)seed);
  pthread_t threads[THREADS];
  pthread_barrier_t ready;
  pid_t pids[3];
  pthread_barrier_init(&ready, NULL, THREADS + 1);
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_create(&threads[i], NULL, first_call, &ready) == 0);
  }
  pthread_barrier_wait(&ready);
  for (int i = 0; i < 3; i++) {
    /* Now and then late in those calls. */
    usleep((useconds_t)(rand() % 4000 * i));
    pids[i] = in_child(first_call_alone, NULL);
  }
  for (int i = 0; i < 3; i++) {
    join_child(pids[i]);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
  }
}

struct shared_token {
  fish_client *client;
  fish_cancel_token *cancel;
  int told[2];
};

/* The child's cancel is the child's: its parent's call goes on to its deadline. */
static void cancels_its_own(void *argument) {
  struct shared_token *shared = argument;
  fish_cancel_token_cancel(shared->cancel);
  CHECK_STATUS(ask(shared->client, 15000, shared->cancel), FISH_CANCELLED);
}

/* The parent's cancel, before or after, is the parent's. */
static void is_not_cancelled(void *argument) {
  struct shared_token *shared = argument;
  char byte;
  CHECK(read(shared->told[0], &byte, 1) == 1);
  double begun = now_ms(), cpu = cpu_ms();
  CHECK_STATUS(ask(shared->client, 600, shared->cancel), FISH_TIMED_OUT);
  CHECK(now_ms() - begun >= 600);
  /* The descriptor behind the token stays readable; waiting with it must not spin. */
  CHECK(cpu_ms() - cpu < 60 * patience());
  begun = now_ms();
  double queued = queued_ms();
  fish_cancel_token_cancel(shared->cancel);
  CHECK_STATUS(ask(shared->client, 15000, shared->cancel), FISH_CANCELLED);
  CHECK(now_ms() - begun < 100 * patience() + queued_ms() - queued);
}

static void tokens(void) {
  struct shared_token shared = {new_client(at(plain, "/stall"), NULL), fish_cancel_token_new(), {-1, -1}};
  CHECK(pipe(shared.told) == 0);
  join_child(in_child(cancels_its_own, &shared));
  double begun = now_ms(), cpu = cpu_ms();
  CHECK_STATUS(ask(shared.client, 600, shared.cancel), FISH_TIMED_OUT);
  CHECK(now_ms() - begun >= 600);
  CHECK(cpu_ms() - cpu < 60 * patience());

  pid_t pid = in_child(is_not_cancelled, &shared);
  fish_cancel_token_cancel(shared.cancel);
  CHECK_STATUS(ask(shared.client, 15000, shared.cancel), FISH_CANCELLED);
  CHECK(write(shared.told[1], "x", 1) == 1);
  join_child(pid);
  close(shared.told[0]);
  close(shared.told[1]);
  fish_cancel_token_free(shared.cancel);
  fish_client_free(shared.client);
}

int main(int count, char **arguments) {
  CHECK(count == 5 || (count == 6 && strcmp(arguments[5], "first") == 0));
  plain = arguments[1], tls = arguments[2], ca_file = arguments[3];
  int rounds = atoi(arguments[4]);
  for (unsigned round = 0; round < (unsigned)rounds; round++) {
    join_child(in_child(fork_at_first_calls, &round));
  }
  if (count == 6) {
    printf("%d forks at the first calls\n", 3 * rounds);
    return 0;
  }
  while_idle(rounds);
  while_busy(rounds);
  tokens();
  printf("%d forks at the first calls, %d while idle, %d while busy\n", 3 * rounds, rounds, rounds);
  return 0;
}
