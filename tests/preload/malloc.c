/* Small allocations that take a millisecond on every thread but the first: what a library sets up once takes long
 * enough to be interrupted. */
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t size);

void *malloc(size_t size)
{
    if (size <= 16 && syscall(SYS_gettid) != getpid())
        usleep(1000);
    return __libc_malloc(size);
}
