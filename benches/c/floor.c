/* The floor: the same bytes written and read, and nothing made of them. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "contender.h"

struct caller {
  int socket;
  size_t request_length, answer_length;
  char request[512], answer[4096];
};

static struct caller *caller_new(const struct server *server) {
  struct caller *caller = calloc(1, sizeof *caller);
  if (!caller) die("out of memory");
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(server->port))};
  inet_pton(AF_INET, server->host, &address.sin_addr);
  caller->socket = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(caller->socket, (struct sockaddr *)&address, sizeof address)) die("the floor could not connect");
  int on = 1;
  setsockopt(caller->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  caller->request_length = (size_t)snprintf(caller->request, sizeof caller->request,
      "GET /wallet/self/api-credit HTTP/1.1\r\nHost: %s:%s\r\nAuthorization: Bearer " KEY
      "\r\nAccept: application/json\r\nUser-Agent: fish-api-credit/0.1.0\r\n\r\n",
      server->host, server->port);

  /* One call to learn how long an answer is: all are alike. */
  if (write(caller->socket, caller->request, caller->request_length) < 0) die("the floor could not write");
  size_t filled = 0;
  do {
    ssize_t got = read(caller->socket, caller->answer + filled, sizeof caller->answer - 1 - filled);
    if (got <= 0) die("the floor got no answer");
    filled += (size_t)got;
    caller->answer[filled] = 0;
    const char *body = strstr(caller->answer, "\r\n\r\n");
    const char *length = strstr(caller->answer, "Content-Length: ");
    if (body && length)
      caller->answer_length = (size_t)(body + 4 - caller->answer) + strtoul(length + 16, NULL, 10);
  } while (!caller->answer_length || filled < caller->answer_length);
  return caller;
}

static void caller_call(struct caller *caller) {
  ssize_t sent = write(caller->socket, caller->request, caller->request_length);
  if (sent != (ssize_t)caller->request_length) die("the floor could not write");
  for (size_t filled = 0; filled < caller->answer_length;) {
    ssize_t got = read(caller->socket, caller->answer + filled, sizeof caller->answer - filled);
    if (got <= 0) die("the floor got no answer");
    filled += (size_t)got;
  }
}

static void caller_free(struct caller *caller) {
  close(caller->socket);
  free(caller);
}
