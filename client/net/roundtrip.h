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

enum roundtrip_state {
    ROUNDTRIP_OVER,     /* nothing is open; `outcome` is final */
    ROUNDTRIP_QUEUEING, /* the backlog of an AF_UNIX socket is full: to be tried again */
    ROUNDTRIP_CONNECTING,
    ROUNDTRIP_HANDSHAKE, /* the handshake of a hybrid vsock socket is going on */
    ROUNDTRIP_TRANSFERRING,
};

struct roundtrip {
    enum roundtrip_state state;
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
    int fd;        /* to be watched for roundtrip_wants, or -1 */
    short watched; /* the watcher's: the events it watches for, 0 when it doesn't */
    struct handshake handshake;
    struct transfer transfer; /* its buffer is used again by the next probe */
};

/*
 * Begins to connect to the address at index `peer`. The caller has set `sequence`, `target`, `due`,
 * `begun`, `deadline`, `attempted`, `until`, `message` and `length`, the latter two to stay until
 * it is over. It may be over at once.
 */
void roundtrip_begin(struct roundtrip *roundtrip, size_t peer);

/* The events of poll(2) to watch `fd` for. */
short roundtrip_wants(const struct roundtrip *roundtrip);

/* Goes on after the events; for ROUNDTRIP_QUEUEING, after some time. */
void roundtrip_step(struct roundtrip *roundtrip, int events);

/* When the roundtrip is to be told that time is up, and telling it. */
int64_t roundtrip_until(const struct roundtrip *roundtrip);
void roundtrip_expire(struct roundtrip *roundtrip);

/* Ends it where it stands: without an outcome, or as an error of this machine. */
void roundtrip_abandon(struct roundtrip *roundtrip);
void roundtrip_give_up(struct roundtrip *roundtrip, int error);

/* Whether it was over before there was a connection. */
bool roundtrip_missed(const struct roundtrip *roundtrip);

/* What explain_dial and explain_transfer want to know of it. */
void roundtrip_describe(const struct roundtrip *roundtrip, struct dial *dial);

#endif
