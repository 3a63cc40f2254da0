/* SPDX-License-Identifier: MIT */
/*
 * The one deadline of the process. When it passes, a blocked system call ends with EINTR and
 * deadline_passed() returns true. It bounds the total time: no byte from the peer renews it.
 */
#ifndef TINCAN_HANDLER_DEADLINE_H
#define TINCAN_HANDLER_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Sets the deadline to `usec` microseconds, at least 1, from now. Replaces an inherited timer,
 * which survives execve(2), and unblocks the signal, which an inherited mask would hold back.
 * Returns 0, or -1 with errno.
 */
int deadline_start(uint64_t usec);

/* Moves the deadline to `usec` microseconds, at least 1, from now. Needs deadline_start() first:
 * without its signal handler the alarm would end the process. */
void deadline_move(uint64_t usec);

bool deadline_passed(void);

#endif
