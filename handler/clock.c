/* SPDX-License-Identifier: MIT */
#include "handler/clock.h"

#include <time.h>

uint64_t clock_usec(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}
