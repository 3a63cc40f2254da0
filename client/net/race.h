/* SPDX-License-Identifier: MIT */
/*
 * The attempts of one round trip to connect to the addresses of a target (RFC 8305, 5): which
 * address comes next and when; those beside the present attempt that have not been answered, and
 * one that failed. A failure counts against an address if the target has others. `present` is the
 * round trip's present attempt.
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
    size_t lost;                       /* how many failed, but the one to report */
    size_t total;                      /* how many addresses the target had when it began */
    size_t first;    /* index of the one to try first; the others follow as in a ring */
    bool known;      /* the first one worked before */
    size_t next;     /* how many of the ring were tried, or passed by */
    size_t tried;    /* how many were */
    int64_t next_at; /* clock_now, when to try the next one */
};

/* Begins a race, with the working address if that is known. */
void race_begin(struct race *race, const struct target *target);

/*
 * Returns the index of the next address to try: the working one, if that is known and was not tried
 * yet. It is SIZE_MAX if all were tried, or enough are being tried.
 */
size_t race_next(const struct race *race, const struct target *target);

/* Makes `present` an attempt, not begun yet, at the address of this index; the round trip is to end
 * at `deadline`. */
void race_enter(struct race *race, size_t peer, int64_t deadline, struct attempt *present);

/* Adds an unanswered attempt, for which there must be room. */
void race_add(struct race *race, const struct attempt *present);

/* Takes out the first of those that run. There must be one. */
struct attempt race_take(struct race *race);

/* Puts an attempt that was answered in the place of `present`, which goes on beside it. Returns
 * whether there is one; or `present` itself was answered. */
bool race_answered(struct race *race, struct attempt *present);

/* Keeps an attempt that was answered with a failure, in place of another one. */
void race_set_aside(struct race *race, struct target *target, const struct attempt *present);

/* Ends the race: `present` is connected. */
void race_win(struct race *race, struct target *target, const struct attempt *present);

/*
 * Ends the race: none is connected, and `present` is the last one that failed. Returns the one to
 * report: that, unless it was not answered and another one was, since that says more.
 */
struct attempt race_lose(struct race *race, struct target *target, const struct attempt *present);

/* Closes what is open. */
void race_close(struct race *race);

/* Sets `polled`, of RACE_MOST, to wait for those running. Returns how many these are. */
nfds_t race_poll(const struct race *race, struct pollfd *polled);

#endif
