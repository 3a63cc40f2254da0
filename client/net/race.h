/* SPDX-License-Identifier: MIT */
/*
 * The attempts of one round trip to connect to other addresses than its present one: those that
 * have not been answered, and one that failed. A failure counts against an address only when the
 * round trip did not end with it.
 */
#ifndef TINCAN_CLIENT_NET_RACE_H
#define TINCAN_CLIENT_NET_RACE_H

#include "client/net/attempt.h"
#include "client/net/target.h"

#include <poll.h>

#define RACE_MOST 7 /* unanswered attempts at once, beside the present one */

struct race {
    struct attempt running[RACE_MOST]; /* in any order */
    size_t count;                      /* of those */
    struct attempt failed;             /* the last one that was answered with a failure */
    size_t lost;                       /* how many failures were counted */
};

/* Adds an unanswered attempt, for which there must be room. */
void race_add(struct race *race, struct attempt attempt);

/* Takes out the one at `index` and returns it. `attempt` takes its place unless its `fd` is -1. */
struct attempt race_swap(struct race *race, size_t index, struct attempt attempt);

/* Keeps an attempt that was answered with a failure, in place of another one. */
void race_set_aside(struct race *race, struct target *target, struct attempt attempt);

/* Ends the race: an attempt that was begun at `begun` is connected. */
void race_win(struct race *race, struct target *target, int64_t begun);

/*
 * Ends the race: none is connected, and `last` is the last one that failed. Returns the one to
 * report: `last`, unless it was not answered and another one was, since that says more.
 */
struct attempt race_lose(struct race *race, struct target *target, struct attempt last);

/* Closes what is open. */
void race_close(struct race *race);

/* Sets `polled`, of RACE_MOST, to wait for those running. Returns how many these are. */
nfds_t race_poll(const struct race *race, struct pollfd *polled);

#endif
