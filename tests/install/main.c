/* The least that a consumer does: it reaches the decoder, a client and the network, so all of it must be linked. */

#include <fish_api_credit.h>

#include <stdio.h>
#include <string.h>

static int expect(fish_status got, fish_status wanted) {
  if (got != wanted) {
    fprintf(stderr, "%s, not %s\n", fish_status_name(got), fish_status_name(wanted));
  }
  return got != wanted;
}

int main(void) {
  const char *json = "{\"_id\":\"i\",\"user_id\":\"u\",\"credit\":\"1.5\",\"created_at\":\"\",\"updated_at\":\"\"}";
  fish_client_options options = {0};
  fish_client *client;
  fish_api_credit credit;
  fish_error error;
  int wrong = strcmp(fish_version(), FISH_VERSION) != 0;

  wrong += expect(fish_api_credit_from_json(json, strlen(json), &credit, &error), FISH_OK);
  wrong += credit.credit_micros != 1500000;
  fish_api_credit_free(&credit);

  options.api_key = "key-1";
  options.base_url = "https://127.0.0.1:1"; /* Nobody listens there. */
  options.max_retries = -1;
  wrong += expect(fish_client_new(&options, &client, &error), FISH_OK);
  wrong += expect(fish_get_api_credit(client, NULL, &credit, &error), FISH_CONNECT_FAILED);
  fish_error_free(&error);
  fish_client_free(client);
  printf("%s, %d wrong\n", fish_version(), wrong);
  return wrong != 0;
}
