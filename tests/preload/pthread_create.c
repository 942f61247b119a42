/* Threads that cannot be started while the environment has FISH_TEST_NO_THREADS. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    if (getenv("FISH_TEST_NO_THREADS"))
        return EAGAIN;
    return real(thread, attributes, start, argument);
}
