/* SPDX-License-Identifier: MIT */
/* Where the probes of a run go: the addresses of its host, found out once at the start. */
#ifndef TINCAN_CLIENT_NET_TARGET_H
#define TINCAN_CLIENT_NET_TARGET_H

#include "client/net/dial.h"

#include <netdb.h>
#include <stddef.h>
#include <stdint.h>

struct target_peer {
    const struct sockaddr *name;
    socklen_t size;
    char text[SOCKADDR_TEXT_SIZE]; /* in the notation of address_parse */
};

struct target {
    const struct address *address;
    const struct bind_address *source; /* or NULL */
    struct target_peer *peers;         /* in the order in which to try them */
    size_t count;
    int64_t resolve_nsec;  /* how long finding them took; 0 where there was nothing to find */
    struct addrinfo *list; /* what `peers` refers to */
};

/*
 * Finds the addresses by `deadline` (of clock_now); `address` and `source` must outlive `target`.
 * Returns 0, or -1, and then `failure` says why, as dial does. In both cases the target ends with
 * target_free.
 */
int target_find(struct target *target, const struct address *address, int family,
                const struct bind_address *source, int64_t deadline, struct dial *failure);

void target_free(struct target *target);

#endif
