/* Signals in a host's life: SIGPIPE at its default, which kills, and handlers without SA_RESTART that interrupt
 * every wait a call can be in, hundreds of times. Deadlines and cancels hold, the waits do not spin, and no handler
 * ever runs on a thread of the library's own. Arguments: the plain server's address, the TLS server's, its
 * certificate, milliseconds per wait. */
#include "host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

static const char *plain, *tls, *ca_file;

static pthread_t caller;
static volatile sig_atomic_t interrupted, elsewhere;

static void on_signal(int number) {
  int kept = errno;
  (void)number;
  if (pthread_equal(pthread_self(), caller)) {
    interrupted = interrupted + 1;
  } else {
    elsewhere = elsewhere + 1;
  }
  errno = kept;
}

/* A lookup that never ends; the library's thread that waits here must take no signals. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  (void)name, (void)service, (void)hints, (void)found;
  /* A fault of the thread itself must still reach the host's crash reporter. */
  static const char unblockable[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, 0};
  sigset_t blocked;
  CHECK(!pthread_equal(pthread_self(), caller));
  pthread_sigmask(SIG_SETMASK, NULL, &blocked);
  for (int number = 1; number < 32; number++) {
    CHECK(sigismember(&blocked, number) == !strchr(unblockable, number));
  }
  for (;;) {
    pause();
  }
}

static volatile int storming;

/* What a wait may be late by: the promise, what the machine took of each of two threads that must run, and how long
 * this one has waited for a processor since it had waited for `queued`. */
static double grace(double queued) {
  double late;
  __atomic_load(&latest, &late, __ATOMIC_ACQUIRE);
  return 100 * patience() + 2 * late + queued_ms() - queued;
}

/* Signals the thread that calls, and the process as a whole, until told to stop. */
static void *storm(void *unused) {
  (void)unused;
  for (unsigned i = 0; __atomic_load_n(&storming, __ATOMIC_ACQUIRE); i++) {
    if (i % 2) {
      pthread_kill(caller, SIGUSR1);
    } else {
      kill(getpid(), SIGUSR2);
    }
    struct timespec pause = {0, 300000};
    double due = now_ms() + 0.3;
    nanosleep(&pause, NULL);
    double late = now_ms() - due;
    if (late > latest) {
      __atomic_store(&latest, &late, __ATOMIC_RELEASE);
    }
  }
  return NULL;
}

/* When the canceller cancels. */
static double cancelled_at;

static void *cancel_later(void *argument) {
  sleep_ms(80);
  cancelled_at = now_ms();
  fish_cancel_token_cancel(argument);
  return NULL;
}

/* A thread of the host's that no handler is to run on. */
static pthread_t deaf_thread(void *(*body)(void *), void *argument) {
  pthread_t thread;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  CHECK(pthread_create(&thread, NULL, body, argument) == 0);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return thread;
}

/* An address where connecting neither succeeds nor fails: its backlog is full. */
static void black_hole(char *url, size_t size) {
  struct sockaddr_in address = {0};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 0) == 0);
  CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
  for (int i = 0; i < 3; i++) {
    int filler = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)!connect(filler, (struct sockaddr *)&address, sizeof address);
  }
  snprintf(url, size, "http://127.0.0.1:%d", ntohs(address.sin_port));
}

static void each_wait(uint32_t wait_ms) {
  char hole[64], stalls[64];
  black_hole(hole, sizeof hole);
  /* To the plain server's port over TLS: it reads what it takes for a request, and says nothing. */
  snprintf(stalls, sizeof stalls, "https://%s", strstr(plain, "://") + 3);
  const struct {
    const char *name, *url, *ca_file;
    int retries;
  } waits[] = {
      {"for a name", "https://stuck.test", NULL, -1},
      {"for a connection", hole, NULL, -1},
      {"for a handshake", stalls, NULL, -1},
      {"for an answer", at(plain, "/stall"), NULL, -1},
      {"for an answer over TLS", at(tls, "/stall"), ca_file, -1},
      {"for the rest of an answer", at(plain, "/drip"), NULL, -1},
      {"for the next try", at(plain, "/later"), NULL, 1},
  };
  for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
    fish_client_options options = {0};
    fish_client *client = NULL;
    options.api_key = "k";
    options.proxy_url = "";
    options.base_url = waits[i].url;
    options.ca_file = waits[i].ca_file;
    options.max_retries = waits[i].retries;
    CHECK_STATUS(fish_client_new(&options, &client, NULL), FISH_OK);

    interrupted = 0;
    latest = 0;
    storming = 1;
    pthread_t thunder = deaf_thread(storm, NULL);

    double took;
    int signals;
    /* Where a busy machine lets few signals come in a wait, there are more waits. */
    do {
      double queued = queued_ms(), begun = now_ms();
      fish_status status = ask(client, waits[i].retries < 0 ? wait_ms : 60000, NULL);
      took = now_ms() - begun;
      signals = interrupted;
      if (waits[i].retries < 0) {
        CHECK_STATUS(status, FISH_TIMED_OUT);
        CHECK(took >= wait_ms && took < wait_ms + grace(queued));
      } else {
        /* One wait of a second and a little more; a wait that every signal began anew would not end. */
        CHECK_STATUS(status, FISH_SERVER_ERROR);
        CHECK(took >= 1000 && took < 10000 * patience() + grace(queued));
      }
    } while (signals < 20);

    fish_cancel_token *token = fish_cancel_token_new();
    double queued = queued_ms();
    pthread_t canceller = deaf_thread(cancel_later, token);
    CHECK_STATUS(ask(client, 60000, token), FISH_CANCELLED);
    double over = now_ms();
    pthread_join(canceller, NULL);
    CHECK(over >= cancelled_at && over - cancelled_at < grace(queued));

    __atomic_store_n(&storming, 0, __ATOMIC_RELEASE);
    pthread_join(thunder, NULL);
    fish_cancel_token_free(token);
    fish_client_free(client);
    printf("%-26s %4d signals, %6.1f ms of %u, cancelled after %5.1f\n", waits[i].name, signals, took,
           waits[i].retries < 0 ? wait_ms : 1000, over - cancelled_at);
  }
  CHECK(elsewhere == 0);
}

/* A server that has gone away makes the next write a SIGPIPE, were it not for the library. */
static void broken_pipes(void) {
  struct sigaction action;
  for (int i = 0; i < 50; i++) {
    fish_client *client = new_client(at(plain, "/shut"), NULL);
    fish_client *secure = new_client(at(tls, "/shut"), ca_file);
    for (int call = 0; call < 3; call++) {
      CHECK_STATUS(ask(client, 15000, NULL), FISH_OK);
      CHECK_STATUS(ask(secure, 15000, NULL), FISH_OK);
    }
    fish_client_free(client);
    fish_client_free(secure);
    client = new_client(at(plain, "/drop"), NULL);
    CHECK_STATUS(ask(client, 15000, NULL), FISH_CONNECTION_LOST);
    fish_client_free(client);
  }
  sigaction(SIGPIPE, NULL, &action);
  CHECK(action.sa_handler == SIG_DFL);
}

int main(int count, char **arguments) {
  struct sigaction action = {0}, before[32], found;
  CHECK(count == 5);
  plain = arguments[1], tls = arguments[2], ca_file = arguments[3];
  caller = pthread_self();
  signal(SIGPIPE, SIG_DFL);
  for (int number = 1; number < 32; number++) {
    sigaction(number, NULL, &before[number]);
  }
  broken_pipes();

  action.sa_handler = on_signal;
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGUSR2, &action, NULL);
  each_wait((uint32_t)atoi(arguments[4]));

  /* No handler of the library's own: all but ours are as they were. */
  for (int number = 1; number < 32; number++) {
    sigaction(number, NULL, &found);
    CHECK(found.sa_handler == (number == SIGUSR1 || number == SIGUSR2 ? on_signal : before[number].sa_handler));
  }
  return 0;
}
