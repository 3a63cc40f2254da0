/* SPDX-License-Identifier: MIT */
/* The standard streams, and writing to inherited descriptors. */
#ifndef TINCAN_COMMON_STREAMS_H
#define TINCAN_COMMON_STREAMS_H

#include <stddef.h>
#include <sys/uio.h>

/*
 * Opens the null device on each standard stream that was closed, for the wrong direction: no other
 * descriptor takes its number, and using it fails.
 */
void streams_fill(void);

/*
 * Writes the `count` parts to `fd` whole, waiting where the descriptor is non-blocking and after
 * interruptions. Returns 0, or -1 with errno. The parts are used up.
 */
int streams_write(int fd, struct iovec *parts, int count);

#endif
