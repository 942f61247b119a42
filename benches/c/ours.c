/* This library, through its C interface: all threads share one client. */
#include <fish_api_credit.h>

#include "contender.h"

struct caller {
  fish_client *client;
};

static fish_client *client;
static int users;

static struct caller *caller_new(const struct server *server) {
  if (!client) {
    char url[256];
    snprintf(url, sizeof url, "%s://%s:%s", server->ca_file ? "https" : "http", server->host, server->port);
    fish_client_options options = {0};
    options.api_key = KEY;
    options.base_url = url;
    options.proxy_url = "";
    options.ca_file = server->ca_file;
    fish_error error;
    if (fish_client_new(&options, &client, &error)) die(error.message);
  }
  users++;
  struct caller *caller = malloc(sizeof *caller);
  if (!caller) die("out of memory");
  caller->client = client;
  return caller;
}

static void caller_call(struct caller *caller) {
  fish_api_credit credit;
  fish_error error;
  if (fish_get_api_credit(caller->client, NULL, &credit, &error)) die(error.message);
  if (credit.credit_micros != EXPECTED_CREDIT_MICROS) die("not the expected credit");
  fish_api_credit_free(&credit);
  fish_error_free(&error);
}

static void caller_free(struct caller *caller) {
  free(caller);
  if (!--users) fish_client_free(client);
}
