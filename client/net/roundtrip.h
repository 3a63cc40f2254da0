/* SPDX-License-Identifier: MIT */
/*
 * A round trip: connecting to a server and exchanging one message with it. Of a target with several
 * addresses it begins with the first, and with the next one whenever one has failed, or has not
 * answered for 250 ms; the first that connects is used (RFC 8305, 5). Then other round trips go to
 * that address only, until it fails.
 *
 * It never waits. The caller waits for roundtrip_events() on `attempt.fd`, and calls
 * roundtrip_step() when they have come or roundtrip_timer_expired() at the moment of
 * roundtrip_timer(). A new attempt to connect has a new `fd`; the caller goes on waiting for the
 * one before, and steps then as well. roundtrip_run() does all this for one round trip.
 */
#ifndef TINCAN_CLIENT_NET_ROUNDTRIP_H
#define TINCAN_CLIENT_NET_ROUNDTRIP_H

#include "client/net/handshake.h"
#include "client/net/race.h"
#include "client/net/target.h"
#include "client/net/tcp.h"
#include "client/net/transfer.h"

/* In the order in which they come. */
enum roundtrip_state {
    ROUNDTRIP_QUEUED, /* the backlog of an AF_UNIX socket is full: waiting to try again */
    ROUNDTRIP_CONNECTING,
    ROUNDTRIP_HANDSHAKE, /* connected to a hybrid vsock socket, but not yet to its guest */
    ROUNDTRIP_CONNECTED, /* waiting for roundtrip_send() */
    ROUNDTRIP_SENDING,   /* from here on as enum transfer_state */
    ROUNDTRIP_RECEIVING, /* the message is sent, or can't be */
    ROUNDTRIP_CLOSING,   /* the echo is here; waiting for the server to close */
    ROUNDTRIP_OVER,      /* `outcome` is final, and nothing is open */
};

struct roundtrip {
    /* Set before roundtrip_begin(). */
    struct target *target;
    int64_t begun;      /* clock_now, when it began, with resolving perhaps */
    int64_t timeout;    /* nanoseconds that it has from then on */
    bool connect_first; /* once connected, wait for roundtrip_send() */

    enum roundtrip_state state;
    const char *message;    /* the caller's */
    size_t length;          /* of the message, in bytes */
    enum outcome outcome;   /* known from ROUNDTRIP_CLOSING on */
    int error;              /* errno behind it, or 0 */
    int64_t deadline;       /* clock_now, of all of it */
    int64_t retry_at;       /* for ROUNDTRIP_QUEUED */
    int64_t connected;      /* clock_now, when it was connected, or 0 */
    int64_t ended;          /* clock_now, when it was over */
    struct attempt attempt; /* the present one: its address, and its `fd` also when connected */
    struct race race;       /* those at other addresses */
    struct tcp tcp;         /* of a connection over TCP */
    struct handshake handshake;
    struct transfer transfer; /* its buffer is used again by the next round trip */

    /* The caller's own. */
    uint64_t sequence; /* its number, from 1 */
    int64_t due;       /* clock_now, when it was to begin */
    bool overdue;      /* that no answer has come was reported */
};

/*
 * Begins to connect to the target's working address, or else to its first, and to send `length`
 * bytes at `message`, which must stay until the end. If the target has no address, or all fail at
 * once, the round trip is over on return.
 */
void roundtrip_begin(struct roundtrip *roundtrip, const char *message, size_t length);

/* Sends another message instead in ROUNDTRIP_CONNECTED. The time begins anew. */
void roundtrip_send(struct roundtrip *roundtrip, const char *message, size_t length);

/* Returns the events of poll(2) to wait for on `fd`, or 0. */
short roundtrip_events(const struct roundtrip *roundtrip);

/* Goes on after `events`, without waiting. */
void roundtrip_step(struct roundtrip *roundtrip, int events);

/* Returns the moment (of clock_now) at which to call the other. */
int64_t roundtrip_timer(const struct roundtrip *roundtrip);
void roundtrip_timer_expired(struct roundtrip *roundtrip);

/* Waits and goes on until the state is `state` or a later one, or the target's `interrupted` ends
 * that. */
void roundtrip_run(struct roundtrip *roundtrip, enum roundtrip_state state);

/* Ends it as its time is up, without trying another address. */
void roundtrip_expire(struct roundtrip *roundtrip);

/* Ends it without an outcome. */
void roundtrip_abandon(struct roundtrip *roundtrip);

/* Ends it with OUTCOME_LOCAL, `error` being an errno. */
void roundtrip_give_up(struct roundtrip *roundtrip, int error);

/* Returns whether it was over before there was a connection. */
bool roundtrip_never_connected(const struct roundtrip *roundtrip);

#endif
