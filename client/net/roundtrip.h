/* SPDX-License-Identifier: MIT */
/*
 * One probe under way: a connection to one of the target's addresses, and the exchange on it. It
 * never waits: whoever has the descriptor watched calls it when something can be done.
 */
#ifndef TINCAN_CLIENT_NET_ROUNDTRIP_H
#define TINCAN_CLIENT_NET_ROUNDTRIP_H

#include "client/net/handshake.h"
#include "client/net/target.h"
#include "client/net/transfer.h"

enum flight_state {
    FLIGHT_OVER,     /* nothing is open; `outcome` is final */
    FLIGHT_QUEUEING, /* the backlog of an AF_UNIX socket is full: to be tried again */
    FLIGHT_CONNECTING,
    FLIGHT_SHAKING, /* the handshake of a hybrid vsock socket is going on */
    FLIGHT_TALKING,
};

struct flight {
    enum flight_state state;
    enum outcome outcome;
    int error;         /* errno of the connection that failed */
    uint64_t sequence; /* which probe it is, from 1 */
    const struct target *target;
    size_t peer;       /* the index in the target of the address it went to */
    int64_t due;       /* clock_now: when it was to begin, */
    int64_t begun;     /* when it did, */
    int64_t connected; /* and when it was connected, or 0 */
    int64_t deadline;
    int64_t attempted; /* clock_now: when it began with the present address, */
    int64_t until;     /* and has to be connected to it, as several may be to be tried */
    const char *message;
    size_t length;
    int fd;        /* to be watched for flight_wants, or -1 */
    short watched; /* the watcher's: the events it watches for, 0 when it doesn't */
    struct handshake handshake;
    struct converse talk; /* its buffer is used again by the next probe */
};

/*
 * Begins to connect to the address at index `peer`. The caller has set `sequence`, `target`, `due`,
 * `begun`, `deadline`, `attempted`, `until`, `message` and `length`, the latter two to stay until
 * it is over. It may be over at once.
 */
void flight_begin(struct flight *flight, size_t peer);

/* The events of poll(2) to watch `fd` for. */
short flight_wants(const struct flight *flight);

/* Goes on after the events; for FLIGHT_QUEUEING, after some time. */
void flight_step(struct flight *flight, int events);

/* When the flight is to be told that time is up, and telling it. */
int64_t flight_until(const struct flight *flight);
void flight_expire(struct flight *flight);

/* Ends it where it stands: without an outcome, or as an error of this machine. */
void flight_abandon(struct flight *flight);
void flight_give_up(struct flight *flight, int error);

/* Whether it was over before there was a connection. */
bool flight_missed(const struct flight *flight);

/* What explain_dial and explain_converse want to know of it. */
void flight_describe(const struct flight *flight, struct dial *dial);

#endif
