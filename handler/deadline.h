/* SPDX-License-Identifier: MIT */
/*
 * One deadline for the process: when it passes, a blocked system call ends with EINTR and
 * deadline_passed() is true. It counts total time, so a peer that sends a byte now and then
 * doesn't renew it.
 */
#ifndef TINCAN_HANDLER_DEADLINE_H
#define TINCAN_HANDLER_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Sets the deadline to `usec` microseconds (at least 1) from now, in place of any that stands or
 * was inherited: a timer survives execve(2), and so does a signal mask, under which it would be
 * dead. Returns 0, or -1 with errno.
 */
int deadline_start(uint64_t usec);

/*
 * Moves the deadline to `usec` microseconds (at least 1) from now. Only after deadline_start():
 * without the handler that it sets up, the signal would end the process.
 */
void deadline_move(uint64_t usec);

bool deadline_passed(void);

#endif
