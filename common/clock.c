/* SPDX-License-Identifier: MIT */
#include "common/clock.h"

#include <limits.h>
#include <time.h>

int64_t clock_now(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
        return 0;
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

    if (left <= 0)
        return 0;
    left = (left - 1) / CLOCK_MSEC + 1;
    return left > INT_MAX ? INT_MAX : (int)left;
}
