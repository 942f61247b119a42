/* Makes calls, frees the client, and looks through the whole memory of the process for the key, of which it
 * keeps no copy of its own but one under a mask. Prints where it was found while the client lived, and after.
 *
 * Arguments: the key in hexadecimal under the mask, "options" or "environment" (where the library is to find
 * it), a ca_file or "", and base_urls, each of which is called four times. Linux only. */
#include <fish_api_credit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MASK = 0x5a, LONGEST = 256, PIECE = 12 };

static unsigned char masked[LONGEST];
static size_t length;

/* A piece of the key counts as the key. */
static int is_piece(const unsigned char *at, size_t from)
{
    for (size_t i = 0; i < PIECE; i++) {
        if ((at[i] ^ MASK) != masked[from + i])
            return 0;
    }
    return 1;
}

static int found(const char *when)
{
    const char *environment = getenv("FISH_API_KEY");
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    int count = 0;
    if (maps == NULL)
        exit(3);
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long start, end;
        char readable;
        if (sscanf(line, "%lx-%lx %c", &start, &end, &readable) != 3)
            exit(3);
        if (readable != 'r' || strstr(line, "[v") != NULL)
            continue;
        const unsigned char *last = (const unsigned char *)end - PIECE;
        for (const unsigned char *at = (const unsigned char *)start; at <= last; at++) {
            for (size_t from = 0; from + PIECE <= length; from += PIECE) {
                if (!is_piece(at, from))
                    continue;
                /* The environment is the caller's. */
                if (environment != NULL && (const char *)at >= environment &&
                    (const char *)at < environment + length)
                    continue;
                count++;
                printf("%s: bytes %zu to %zu at %p in %s", when, from, from + PIECE, (const void *)at, line);
            }
        }
    }
    fclose(maps);
    return count;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    length = strlen(argv[1]) / 2;
    for (size_t i = 0; i < length; i++) {
        unsigned byte;
        if (i == LONGEST || sscanf(argv[1] + 2 * i, "%2x", &byte) != 1)
            return 2;
        masked[i] = (unsigned char)byte;
    }
    if (found("before") != 0)
        return 4;
    for (int i = 4; i < argc; i++) {
        volatile char key[LONGEST] = {0};
        fish_client_options options = {0};
        if (strcmp(argv[2], "options") == 0) {
            for (size_t at = 0; at < length; at++)
                key[at] = (char)(masked[at] ^ MASK);
            options.api_key = (const char *)key;
        }
        options.base_url = argv[i];
        options.ca_file = argv[3][0] != '\0' ? argv[3] : NULL;
        options.proxy_url = "";
        options.max_retries = 1;
        options.timeout_ms = 5000;
        fish_client *client;
        fish_error error;
        fish_status status = fish_client_new(&options, &client, &error);
        for (size_t at = 0; at < length; at++)
            key[at] = 0;
        if (status != FISH_OK) {
            printf("%s\n", error.message);
            return 5;
        }
        for (int call = 0; call < 4; call++) {
            fish_api_credit credit;
            char *json;
            if (call % 2 == 0) {
                status = fish_get_api_credit(client, NULL, &credit, &error);
                fish_api_credit_free(&credit);
            } else {
                status = fish_get_api_credit_json(client, NULL, &json, &error);
                fish_string_free(json);
            }
            printf("%s\n", fish_status_name(status));
            fish_error_free(&error);
        }
        if (i == 4 && found("alive") == 0)
            return 6; /* It must be there now, or the search finds nothing. */
        fish_client_free(client);
        if (found("freed") != 0)
            return 7;
    }
    printf("the key is gone\n");
    return 0;
}
