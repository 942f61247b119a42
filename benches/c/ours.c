/* This library, through its C interface. */
#include <fish_api_credit.h>

#include "contender.h"
#include "ours.h"

static void call(void) {
  fish_api_credit credit;
  fish_error error;
  if (fish_get_api_credit(client, NULL, &credit, &error)) die(error.message);
  check_credit(credit.credit_micros);
  fish_api_credit_free(&credit);
}

static void open_client(const char *host, const char *port, const char *ca_file) { connect_client(host, port, ca_file); }

static void close_client(void) { fish_client_free(client); }
