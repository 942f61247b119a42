/* A machine that has been asleep: CLOCK_BOOTTIME runs ahead by what fish_test_sleep was told, while the clock that
 * stands still in sleep does not. */
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Atomic long asleep;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && clock == CLOCK_BOOTTIME)
        now->tv_sec += asleep;
    return result;
}

void fish_test_sleep(long seconds)
{
    asleep += seconds;
}
