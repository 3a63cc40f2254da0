/* SPDX-License-Identifier: MIT */
#include "common/clock.h"

#include <limits.h>
#include <time.h>

/* A process that asks twice in its life pays more for finding the vDSO than for system calls. */
#if defined CLOCK_WITHOUT_VDSO && __SIZEOF_LONG__ == 8
#include <sys/syscall.h>
#include <unistd.h>
#define clock_gettime(clock, now) syscall(SYS_clock_gettime, clock, now)
#endif

int64_t clock_now(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * CLOCK_SECOND + now.tv_nsec;
}

uint64_t clock_usec(void)
{
    return (uint64_t)(clock_now() / CLOCK_USEC);
}

int64_t clock_after(uint64_t usec)
{
    return clock_now() + (int64_t)usec * CLOCK_USEC;
}

int clock_poll_timeout(int64_t deadline)
{
    int64_t left = deadline - clock_now();

    left = left > 0 ? (left - 1) / CLOCK_MSEC + 1 : 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}
