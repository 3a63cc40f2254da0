/* SPDX-License-Identifier: MIT */
/*
 * How many connections each source has: an IPv4 address, the /64 network of an IPv6 address (one
 * host has that many addresses to choose from), the user behind an AF_UNIX connection, a virtual
 * machine.
 */
#ifndef TINCAN_TINCAND_SOURCES_H
#define TINCAN_TINCAND_SOURCES_H

#include "tincand/connection.h"

struct source;

struct sources {
    void *tree;   /* of tsearch(3) */
    size_t limit; /* connections of one source */
};

/*
 * Counts the connection `fd`, whose peer is `peer`, with its source. Returns that, which is to be
 * given to sources_leave() when the connection ends; or NULL if it has as many as it may, or there
 * is no memory to count.
 */
struct source *sources_enter(struct sources *sources, int fd, const union connection_peer *peer);

void sources_leave(struct sources *sources, struct source *source);

#endif
