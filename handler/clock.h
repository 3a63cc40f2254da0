/* SPDX-License-Identifier: MIT */
/* Time that only goes on. */
#ifndef TINCAN_HANDLER_CLOCK_H
#define TINCAN_HANDLER_CLOCK_H

#include <stdint.h>

/* Microseconds on the monotonic clock since some fixed moment; 0 should the clock fail. */
uint64_t clock_usec(void);

#endif
