/* SPDX-License-Identifier: MIT */
/* One attempt to connect to one socket address, with or without waiting for it. */
#ifndef TINCAN_CLIENT_NET_ATTEMPT_H
#define TINCAN_CLIENT_NET_ATTEMPT_H

#include "client/net/bind_address.h"

#include <stdint.h>
#include <sys/socket.h>

enum attempt {
    ATTEMPT_FAILED,    /* errno says why */
    ATTEMPT_UNDERWAY,  /* when the socket becomes writable, attempt_settle tells */
    ATTEMPT_CONNECTED, /* at once; only AF_UNIX does that */
};

/*
 * Begins to connect a new non-blocking socket, from `source` unless that is NULL, and sets `*fd` to
 * it unless it failed. AF_UNIX has no connecting in the background: with a full backlog it fails
 * with EAGAIN, and is to be tried again.
 */
enum attempt attempt_begin(const struct sockaddr *name, socklen_t size,
                           const struct bind_address *source, int *fd);

/* What came of an attempt that was under way: 0, or -1 with errno; `fd` stays the caller's. */
int attempt_settle(int fd, const struct sockaddr *name);

/*
 * Whether the connection goes to itself. TCP does that when a port of the ephemeral range, on
 * which nobody listens, happens to be picked as our own; the "echo" would then be our message.
 */
bool attempt_met_itself(int fd, const struct sockaddr *name);

/*
 * Connects by `deadline` (of clock_now). Returns a connected non-blocking descriptor, which becomes
 * the caller's, or -1 with errno, ETIMEDOUT or EAGAIN when there was no answer in time.
 */
int attempt(const struct sockaddr *name, socklen_t size, const struct bind_address *source,
            int64_t deadline);

#endif
