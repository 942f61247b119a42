/* Name lookups that fail, never end, or lead to this machine, by the name that is asked for; nothing reaches a
 * network. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Atomic unsigned lookups;

/* How many there have been. */
unsigned fish_test_lookups(void)
{
    return lookups;
}

/* As deep as the modules that a system's lookup loads may go. */
static int deep(int frames)
{
    volatile char frame[4096];
    frame[0] = (char)frames;
    return frames == 0 ? frame[0] : deep(frames - 1) + frame[0];
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    (void)service;
    (void)hints;
    *result = NULL;
    lookups++;
    if (strcmp(node, "deep.test") == 0)
        return deep(100) == -1 ? EAI_FAIL : EAI_NONAME;
    if (strcmp(node, "here.test") == 0) {
        static struct sockaddr_in address;
        static struct addrinfo here;
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        here.ai_family = AF_INET;
        here.ai_socktype = SOCK_STREAM;
        here.ai_addrlen = sizeof address;
        here.ai_addr = (struct sockaddr *)&address;
        *result = &here;
        return 0;
    }
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
