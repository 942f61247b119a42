/* Asks once, with options from its arguments ("base_url=...") and from the environment, and prints the status
 * with its name, the number of attempts and the message. */
#include <fish_api_credit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    fish_client_options options = {0};
    options.max_retries = -1;
    for (int i = 1; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (value == NULL)
            return 2;
        *value++ = '\0';
        if (strcmp(argv[i], "api_key") == 0)
            options.api_key = value;
        else if (strcmp(argv[i], "base_url") == 0)
            options.base_url = value;
        else if (strcmp(argv[i], "proxy_url") == 0)
            options.proxy_url = value;
        else if (strcmp(argv[i], "ca_file") == 0)
            options.ca_file = value;
        else if (strcmp(argv[i], "tls_roots") == 0)
            options.tls_roots = atoi(value);
        else if (strcmp(argv[i], "timeout_ms") == 0)
            options.timeout_ms = (uint32_t)atoi(value);
        else
            return 2;
    }
    fish_error error;
    fish_api_credit credit;
    fish_client *client;
    fish_status status = fish_client_new(&options, &client, &error);
    if (status == FISH_OK) {
        status = fish_get_api_credit(client, NULL, &credit, &error);
        if (status == FISH_OK) {
            printf("FISH_OK %s\n", credit.credit);
            fish_api_credit_free(&credit);
        }
    }
    if (status != FISH_OK)
        printf("%s %u %s\n", fish_status_name(status), (unsigned)error.attempts, error.message);
    fish_error_free(&error);
    fish_client_free(client);
    return 0;
}
