/* SPDX-License-Identifier: MIT */
/* Time that only goes forward, for deadlines and durations, in nanoseconds (CLOCK_MONOTONIC). */
#ifndef TINCAN_COMMON_CLOCK_H
#define TINCAN_COMMON_CLOCK_H

#include <stdint.h>

#define CLOCK_USEC   INT64_C(1000)
#define CLOCK_MSEC   INT64_C(1000000)
#define CLOCK_SECOND INT64_C(1000000000)

/* For a deadline: there is none. */
#define CLOCK_NEVER INT64_MAX

/* The present moment, in nanoseconds from an arbitrary point. */
int64_t clock_now(void);

/* The moment `usec` microseconds from now; at most a day may be asked for. */
int64_t clock_after(uint64_t usec);

/* What poll(2) takes to wait until `deadline`: milliseconds, rounded up, 0 when it has passed. */
int clock_poll_time(int64_t deadline);

#endif
