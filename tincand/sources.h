/* SPDX-License-Identifier: MIT */
/*
 * What each source has, connections and memory: an IPv4 address, the /64 network of an IPv6 address
 * (one host can choose any address of its network), the user of an AF_UNIX peer, a virtual machine.
 */
#ifndef TINCAN_TINCAND_SOURCES_H
#define TINCAN_TINCAND_SOURCES_H

#include "tincand/connection.h"

/* Identifies a source. Compared as bytes: those that a family does not use are zero. */
struct source_key {
    unsigned char name[8];
    uint32_t family;
};

struct source {
    struct source_key key; /* first: the tree compares by it */
    size_t connections;
    struct memory_share memory;
};

struct sources {
    void *tree;   /* of tsearch(3) */
    size_t limit; /* connections of one source */
};

/*
 * Counts the connection `fd` from `peer` with its source. Returns the source, which the caller
 * gives to sources_leave() when the connection ends; or NULL with errno, EUSERS if the source is at
 * its limit.
 */
struct source *sources_enter(struct sources *sources, int fd, const union connection_peer *peer);

void sources_leave(struct sources *sources, struct source *source);

#endif
