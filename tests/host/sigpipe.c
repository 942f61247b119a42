/* Calls a server that is gone by the time the request is written, a hundred times, with SIGPIPE at its default
 * disposition: the signal would kill the process. Arguments: key, base_url, ca_file. */
#include <fish_api_credit.h>
#include <signal.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 4 || signal(SIGPIPE, SIG_DFL) == SIG_ERR)
        return 2;
    fish_client_options options = {0};
    options.api_key = argv[1];
    options.base_url = argv[2];
    options.ca_file = argv[3];
    options.proxy_url = "";
    options.max_retries = -1;
    fish_client *client;
    if (fish_client_new(&options, &client, NULL) != FISH_OK)
        return 3;
    int failures = 0;
    for (int i = 0; i < 100; i++) {
        fish_api_credit credit;
        fish_status status = fish_get_api_credit(client, NULL, &credit, NULL);
        failures += status == FISH_CONNECTION_LOST || status == FISH_TLS_FAILED;
        fish_api_credit_free(&credit);
    }
    fish_client_free(client);
    if (signal(SIGPIPE, SIG_DFL) != SIG_DFL)
        return 4;
    printf("survived %d failures\n", failures);
    return 0;
}
