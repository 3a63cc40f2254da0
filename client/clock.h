/* SPDX-License-Identifier: MIT */
/* Time that only goes forward, for deadlines and durations, in microseconds (CLOCK_MONOTONIC). */
#ifndef TINCAN_CLOCK_H
#define TINCAN_CLOCK_H

#include <stdint.h>

/* The present moment, in microseconds from an arbitrary point. */
int64_t clock_now(void);

/* What poll(2) takes to wait until `deadline`: milliseconds, rounded up, 0 when it has passed. */
int clock_poll_time(int64_t deadline);

#endif
