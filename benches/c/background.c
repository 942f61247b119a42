/* This library's calls in the background: each started, waited for by its descriptor, and its result taken. */
#include <fish_api_credit.h>
#include <poll.h>

#include "contender.h"
#include "ours.h"

static void call(void) {
  fish_call *call;
  fish_api_credit credit;
  fish_error error;
  if (fish_call_start(client, NULL, &call, &error)) die(error.message);
  struct pollfd done = {.fd = (int)fish_call_descriptor(call), .events = POLLIN};
  if (poll(&done, 1, 15000) != 1) die("the call was not done in time");
  if (fish_call_result(call, &credit, &error)) die(error.message);
  check_credit(credit.credit_micros);
  fish_api_credit_free(&credit);
  fish_call_free(call);
}

static void open_client(const char *host, const char *port, const char *ca_file) { connect_client(host, port, ca_file); }

static void close_client(void) { fish_client_free(client); }
