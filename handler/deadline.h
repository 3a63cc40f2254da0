/* SPDX-License-Identifier: MIT */
/* The one deadline of the process. When it passes, a blocked system call ends with EINTR. It bounds
 * the total time: no byte from the peer renews it. */
#ifndef TINCAN_HANDLER_DEADLINE_H
#define TINCAN_HANDLER_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

/* Sets the deadline to `usec` microseconds, at least 1, from now. Replaces an inherited timer,
 * which survives execve(2), and an inherited signal mask. Returns 0, or -1 with errno. */
int deadline_start(uint64_t usec);

/* Moves the deadline to `usec` microseconds, at least 1, from now; only after deadline_start().
 * Returns 0, or -1 with errno. */
int deadline_move(uint64_t usec);

bool deadline_passed(void);

/* Makes the kernel drop the TCP connection `fd` when the peer has taken nothing of a reply for
 * `usec` microseconds, also when no process has it any more (TCP_USER_TIMEOUT, tcp(7)). */
void deadline_bound_reply(int fd, uint64_t usec);

#endif
