/* SPDX-License-Identifier: MIT */
/* One attempt to connect to one socket address, without waiting. */
#ifndef TINCAN_CLIENT_NET_ATTEMPT_H
#define TINCAN_CLIENT_NET_ATTEMPT_H

#include "client/net/bind_address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct attempt {
    int fd;        /* or -1 */
    size_t peer;   /* index of the address in the target */
    short watched; /* the caller's: events for which `fd` is watched; 0 with each new `fd` */
    int64_t begun; /* clock_now, or 0: there is none */
    int64_t lost;  /* nanoseconds until another address was tried, too; 0: none was */
    int error;     /* errno, of one that failed */
};

enum attempt_status {
    ATTEMPT_FAILED,    /* errno says why */
    ATTEMPT_BUSY,      /* the backlog of an AF_UNIX socket is full: try again later */
    ATTEMPT_UNDERWAY,  /* call attempt_finish() when the socket becomes writable */
    ATTEMPT_CONNECTED, /* at once; only AF_UNIX does that */
};

/*
 * Begins to connect a new non-blocking socket to `name`, of `size` bytes, from `bind_address`
 * unless that is NULL. Sets `*fd` to the socket, which becomes the caller's; to -1 at
 * ATTEMPT_FAILED and ATTEMPT_BUSY.
 */
enum attempt_status attempt_begin(const struct sockaddr *name, socklen_t size,
                                  const struct bind_address *bind_address, int *fd);

/* Returns 0 if `fd` is connected now, or -1 with errno. `fd` stays the caller's. */
int attempt_finish(int fd);

/*
 * Returns whether the connection goes to itself. TCP does that when nothing listens on a port of
 * the ephemeral range and the kernel picks that very port as ours; then our message would come back
 * as its own echo.
 */
bool attempt_is_to_itself(int fd);

/* Returns whether this machine has an address from which datagrams, at least, can go to `name`. */
bool attempt_has_source(const struct sockaddr *name, socklen_t size);

#endif
