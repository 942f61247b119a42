/* Links this library beside another of Rust's (or alone, with -DALONE), and makes each panic. Ours does when the clock
   fails, which the operating system never lets it do: so this program is the clock. */

#include <fish_api_credit.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ALONE
bool other_catches(void);
#endif

static bool broken;

int clock_gettime(clockid_t clock, struct timespec *now) {
  return broken ? -1 : (int)syscall(SYS_clock_gettime, clock, now);
}

#ifdef __cplusplus
}
#endif

int main(void) {
  fish_client_options options;
  fish_client *client;
  fish_api_credit credit;
  fish_error error;

#ifndef ALONE
  printf("other: %s\n", other_catches() ? "caught" : "missed");
#endif

  memset(&options, 0, sizeof options);
  options.api_key = "key-1";
  options.base_url = "https://127.0.0.1:1"; /* Nobody listens there. */
  if (fish_client_new(&options, &client, &error) != FISH_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  broken = true;
  printf("ours: %s\n",
         fish_get_api_credit(client, NULL, &credit, &error) == FISH_INTERNAL_ERROR ? "caught" : error.message);
  broken = false;
  fish_error_free(&error);
  fish_client_free(client);
  return 0;
}
