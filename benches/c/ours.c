/* This library, through its C interface. */
#include <fish_api_credit.h>

#include "contender.h"

static fish_client *client;

static void open_client(const char *host, const char *port, const char *ca_file) {
  char url[256];
  snprintf(url, sizeof url, "%s://%s:%s", ca_file ? "https" : "http", host, port);
  fish_client_options options = {.api_key = KEY, .base_url = url, .proxy_url = "", .ca_file = ca_file};
  fish_error error;
  if (fish_client_new(&options, &client, &error)) die(error.message);
}

static void call(void) {
  fish_api_credit credit;
  fish_error error;
  if (fish_get_api_credit(client, NULL, &credit, &error)) die(error.message);
  if (credit.credit_micros != EXPECTED_CREDIT_MICROS) die("not the expected credit");
  fish_api_credit_free(&credit);
}

static void close_client(void) { fish_client_free(client); }
