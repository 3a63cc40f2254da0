/* SPDX-License-Identifier: MIT */
/* Where round trips go: the socket addresses of a server, found before the first of them. */
#ifndef TINCAN_CLIENT_NET_TARGET_H
#define TINCAN_CLIENT_NET_TARGET_H

#include "client/net/bind_address.h"
#include "client/net/outcome.h"
#include "common/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct roundtrip;

struct target_peer {
    struct sockaddr_storage name;
    socklen_t size;
    char text[SOCKADDR_TEXT_SIZE]; /* in the notation of address_parse() */
};

struct target {
    /* Set before target_find(). */
    const struct address *address;
    int family;                              /* of a host's addresses, or AF_UNSPEC for all */
    const struct bind_address *bind_address; /* or NULL */
    /* Called once for each address that fails and has another after it, unless NULL. */
    void (*failed)(const struct roundtrip *roundtrip);
    /* Called when a signal has interrupted target_find() or roundtrip_run(), unless NULL. Returns
     * whether they are to return, as they are. */
    bool (*interrupted)(void);

    struct target_peer *peers; /* in the order in which to try them */
    size_t count;              /* how many there are */
    int64_t resolve_nsec;      /* time that the resolver took, or 0 */

    /* Why target_find() failed. */
    enum outcome outcome; /* OUTCOME_UNRESOLVED or OUTCOME_LOCAL */
    int resolver_error;   /* EAI_ code of OUTCOME_UNRESOLVED */
    int error;            /* errno; ETIMEDOUT if the resolver did not answer in time */

    /* What round trips learn. */
    size_t working;  /* index of the address that was last connected to, or SIZE_MAX */
    size_t reported; /* how many addresses were given to `failed` */
};

/*
 * Finds the addresses, anew if there are some, by `deadline` (of clock_now). Returns 0; or -1 with
 * the reason in `target`, which then has no address. In both cases the caller ends it with
 * target_free().
 */
int target_find(struct target *target, int64_t deadline);

void target_free(struct target *target);

#endif
