/* SPDX-License-Identifier: MIT */
/* The monotonic clock, for deadlines and durations. It stops while the machine is suspended. */
#ifndef TINCAN_COMMON_CLOCK_H
#define TINCAN_COMMON_CLOCK_H

#include <stdint.h>

#define CLOCK_USEC   INT64_C(1000)
#define CLOCK_MSEC   INT64_C(1000000)
#define CLOCK_SECOND INT64_C(1000000000)
#define CLOCK_NEVER  INT64_MAX /* as a deadline: none */

/* Returns nanoseconds since an arbitrary moment; 0 if the clock fails. */
int64_t clock_now(void);

/* Returns the same in microseconds, the unit of sd-event(3) and of the log. */
uint64_t clock_usec(void);

/* Returns the moment `usec` microseconds, at most a day, from now, in nanoseconds. */
int64_t clock_after(uint64_t usec);

/* Returns the timeout for poll(2) that ends at `deadline`: milliseconds, rounded up, at least 0. */
int clock_poll_timeout(int64_t deadline);

#endif
