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

struct attempt;
struct target;

struct target_peer {
    struct sockaddr_storage name;
    socklen_t size;
    char text[SOCKADDR_TEXT_SIZE]; /* in the notation of address_parse() */
    bool current;                  /* the last answer of the resolver has it */

    /* Of round trips in which it failed, if the target has other addresses. */
    uint64_t failures;
    int64_t lost_nsec;         /* how long they waited for it alone */
    enum outcome last_failure; /* if there are any */
};

struct target {
    /* Set before target_find(). */
    const struct address *address;
    int family;                              /* of a host's addresses, or AF_UNSPEC for all */
    const struct bind_address *bind_address; /* or NULL */
    /* Called at the first failure of each address that has another beside it, unless it is the
     * one that a round trip reports; unless NULL. `others` can still succeed, or one has. */
    void (*failed)(struct target *target, const struct attempt *attempt, bool others);
    /* Called when a signal has interrupted target_find() or roundtrip_run(), and before the former
     * waits, unless NULL. Returns whether they are to return, as they are. */
    bool (*interrupted)(void);

    struct target_peer *peers; /* in the order in which to try those that are current */
    size_t count;              /* how many there are */
    int64_t resolve_nsec;      /* time that the resolver took at first, or 0 */

    /* Why target_find() failed. */
    enum outcome outcome; /* OUTCOME_UNRESOLVED or OUTCOME_LOCAL */
    int resolver_error;   /* EAI_ code of OUTCOME_UNRESOLVED */
    int error;            /* errno; ETIMEDOUT if the resolver did not answer in time */

    /* What round trips learn. */
    size_t working; /* index of the address to go to, or SIZE_MAX: that is to be found out */
    bool failing;   /* the last of them could not connect */

    int64_t resolved; /* clock_now, when it was last asked for the addresses */
    bool asking;      /* a question is not answered yet: */
    int query;        /* where the answer will come */
};

/*
 * Finds the addresses, anew if there are some, by `deadline` (of clock_now). They alternate between
 * the families (RFC 8305, 4); those that were known keep their index and what is known of them.
 * Returns 0; or -1 with the reason in `target`, which then has no address. In both cases the caller
 * ends it with target_free().
 */
int target_find(struct target *target, int64_t deadline);

/* The same for many, of which a few are asked for at once. Those without an address have none. */
void target_find_all(struct target *const *targets, size_t count, int64_t deadline);

/*
 * Finds them anew, without waiting, if the last round trip could not connect and they are ten
 * seconds old: one call asks, unless as many questions as may be are being asked, and a later one
 * takes the answer. Round trips may be running.
 */
void target_refresh(struct target *target);

void target_free(struct target *target);

#endif
