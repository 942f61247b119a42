/* Reads a balance from a server (argument 1) by the certificates in a file (argument 2), or by the system's if that is
   empty. Linked fully statically, it runs in an empty root: tests/alone.rs. */

#include <fish_api_credit.h>

#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments) {
  fish_client_options options = {0};
  fish_client *client = NULL;
  fish_api_credit credit = {0};
  fish_error error;
  if (count != 4) {
    fprintf(stderr, "usage: alone URL CA_FILE TIMEOUT\n");
    return 2;
  }
  options.api_key = "secret-1";
  options.base_url = arguments[1];
  options.ca_file = arguments[2][0] ? arguments[2] : NULL;
  options.tls_roots = arguments[2][0] ? FISH_TLS_ROOTS_BUNDLED : FISH_TLS_ROOTS_SYSTEM;
  options.timeout_ms = (uint32_t)strtoul(arguments[3], NULL, 10);
  options.max_retries = -1;
  if (fish_client_new(&options, &client, &error) == FISH_OK)
    fish_get_api_credit(client, NULL, &credit, &error);
  printf("%s %s\n", fish_status_name(error.status), credit.credit ? credit.credit : error.message);
  fish_api_credit_free(&credit);
  fish_error_free(&error);
  fish_client_free(client);
  return 0;
}
