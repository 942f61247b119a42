/* What a program started by the host inherits from the library: nothing. The program starts itself again while the
 * library holds every kind of descriptor it has, and the second one looks. Arguments: the plain server's address,
 * the TLS server's, its certificate. */
#include "host.h"

#include <fcntl.h>
#include <sys/wait.h>

struct job {
  fish_client *client;
  fish_cancel_token *cancel;
};

static void *hang(void *argument) {
  struct job *job = argument;
  CHECK_STATUS(ask(job->client, 60000, job->cancel), FISH_CANCELLED);
  return NULL;
}

int main(int count, char **arguments) {
  if (count == 3 && strcmp(arguments[1], "count") == 0) {
    int found = entries("/proc/self/fd");
    if (found != atoi(arguments[2])) {
      fprintf(stderr, "%d descriptors were inherited, not %s\n", found, arguments[2]);
      return 1;
    }
    return 0;
  }
  CHECK(count == 4);
  int before = entries("/proc/self/fd");
  struct job plain = {new_client(at(arguments[1], "/stall"), NULL), fish_cancel_token_new()};
  struct job tls = {new_client(at(arguments[2], "/stall"), arguments[3]), fish_cancel_token_new()};
  fish_client *kept = new_client(at(arguments[1], "/ok"), NULL);
  pthread_t threads[2];
  CHECK_STATUS(ask(kept, 15000, NULL), FISH_OK);
  CHECK(pthread_create(&threads[0], NULL, hang, &plain) == 0);
  CHECK(pthread_create(&threads[1], NULL, hang, &tls) == 0);
  /* Three clients and two tokens, each of which can be waited for, a kept connection and two busy ones. */
  CHECK(settles("/proc/self/fd", before + 8) == before + 8);

  pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    char want[16];
    snprintf(want, sizeof want, "%d", before);
    execl(arguments[0], arguments[0], "count", want, (char *)NULL);
    _exit(127);
  }
  int status;
  CHECK(waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);

  fish_cancel_token_cancel(plain.cancel);
  fish_cancel_token_cancel(tls.cancel);
  pthread_join(threads[0], NULL);
  pthread_join(threads[1], NULL);
  fish_client_free(plain.client);
  fish_client_free(tls.client);
  fish_client_free(kept);
  fish_cancel_token_free(plain.cancel);
  fish_cancel_token_free(tls.cancel);
  CHECK(entries("/proc/self/fd") == before);
  printf("5 descriptors open, 0 inherited\n");
  return 0;
}
