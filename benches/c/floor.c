/* The floor: writes and reads the same bytes, and does nothing with them. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "contender.h"

static int connection;
static size_t request_length, response_length;
static char request[512], response[4096];

static size_t receive(size_t filled) {
  ssize_t got = read(connection, response + filled, sizeof response - 1 - filled);
  if (got <= 0) die("the floor got no response");
  return filled + (size_t)got;
}

static void call(void) {
  if (write(connection, request, request_length) != (ssize_t)request_length) die("the floor could not write");
  for (size_t filled = 0; filled < response_length;) filled = receive(filled);
}

static void open_client(const char *host, const char *port, const char *ca_file) {
  if (ca_file) die("the floor speaks no TLS");
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  inet_pton(AF_INET, host, &address.sin_addr);
  connection = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(connection, (struct sockaddr *)&address, sizeof address)) die("the floor could not connect");
  int on = 1;
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  request_length = (size_t)snprintf(request, sizeof request,
      "GET /wallet/self/api-credit HTTP/1.1\r\nHost: %s:%s\r\nAuthorization: Bearer " KEY
      "\r\nAccept: application/json\r\nUser-Agent: fish-api-credit/0.1.0\r\n\r\n",
      host, port);

  /* One call to find the length of a response; all are alike. */
  call();
  for (size_t filled = 0; !response_length || filled < response_length;) {
    filled = receive(filled);
    const char *body = strstr(response, "\r\n\r\n"), *length = strstr(response, "Content-Length: ");
    if (body && length) response_length = (size_t)(body + 4 - response) + strtoul(length + 16, NULL, 10);
  }
}

static void close_client(void) { close(connection); }
