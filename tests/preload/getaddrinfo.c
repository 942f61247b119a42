/* Name lookups that fail, or never end, by the name that is asked for; nothing reaches a network. */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    (void)service;
    (void)hints;
    *result = NULL;
    if (strcmp(node, "stuck.test") == 0)
        for (;;)
            pause();
    if (strcmp(node, "again.test") == 0)
        return EAI_AGAIN;
    if (strcmp(node, "fail.test") == 0)
        return EAI_FAIL;
    if (strcmp(node, "memory.test") == 0)
        return EAI_MEMORY;
    if (strcmp(node, "system.test") == 0) {
        errno = EMFILE;
        return EAI_SYSTEM;
    }
    if (strcmp(node, "empty.test") == 0)
        return 0;
    return EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *result)
{
    (void)result;
}
