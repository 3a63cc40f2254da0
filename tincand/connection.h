/* SPDX-License-Identifier: MIT */
/*
 * One connection of many: the exchange of exchange.h in steps, none of which waits. It knows no
 * event loop: connection_step() is called when the descriptor is ready, and says what for next. Who
 * closes the descriptor is the caller.
 *
 * A connection holds memory for its message only from the first byte that can't be answered at once
 * until the last byte of the reply. What all of them hold together has a limit.
 */
#ifndef TINCAN_TINCAND_CONNECTION_H
#define TINCAN_TINCAND_CONNECTION_H

#include "common/frame.h"
#include "handler/peer.h"
#include "handler/result.h"
#include "handler/settings.h"

#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* The most that is read of one connection before the others have their turn, in bytes. */
#define CONNECTION_TURN_BYTES ((size_t)64 << 10)

/*
 * What the connections of a server share. Of the memory, what the longest message needs is set
 * aside for one of them, the reserved: else those that have half a message each could wait for
 * each other.
 */
struct pool {
    const struct settings *settings;
    /* The most that their messages may take together, in bytes; small ones that are there whole may
     * take a little more while they are answered. */
    size_t max_memory;
    size_t used_memory;                /* what they take now */
    const struct connection *reserved; /* or NULL */
    /* What is read comes here first, behind room for a tag. Only what has to wait is copied. */
    char input[TAG_MAX + CONNECTION_TURN_BYTES];
};

enum connection_state {
    CONNECTION_RECEIVING, /* waits for input */
    CONNECTION_STARVED,   /* waits for others to give memory back; its input stays in the kernel */
    CONNECTION_REPLYING,  /* waits for room to send */
    CONNECTION_LINGERING, /* has its outcome; waits for input, which it discards, or its end */
    CONNECTION_OVER,      /* has its outcome, and is to be closed */
};

/* As much of a socket address as an internet or vsock peer needs; AF_UNIX ones have no name. */
union connection_peer {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    struct sockaddr_vm vsock;
};

struct connection {
    int fd; /* non-blocking; the connection's own */
    enum connection_state state;
    union connection_peer peer;
    uint64_t started; /* clock_usec() when it was accepted */
    struct frame frame;
    struct result result; /* from CONNECTION_LINGERING on */
    char *buffer;         /* room for a tag, then the message; or NULL */
    size_t size;          /* of the buffer */
    size_t reply;         /* where in the buffer the part of the reply stands that is not sent */
    size_t left;          /* how long that part is; or, lingering, what is still taken */
    bool trailing;        /* the peer sent bytes after its null byte */
};

/* Begins an exchange on `fd`, accepted from `address`. */
void connection_begin(struct connection *connection, const struct pool *pool, int fd,
                      const struct sockaddr_storage *address, uint64_t now);

/*
 * Does what can be done without waiting, one turn's worth, and returns the state, which is also
 * kept in `state`.
 */
enum connection_state connection_step(struct connection *connection, struct pool *pool);

/* Ends an exchange that has no outcome yet with that one; it is over then. */
void connection_end(struct connection *connection, const struct pool *pool, enum result_code code);

/* Names the peer, for the log. */
void connection_name(const struct connection *connection, struct peer *peer);

/* Gives the message's memory back, once the outcome, whose message is in there, has been logged.
 * Returns whether that can help those who are starved. */
bool connection_forget(struct connection *connection, struct pool *pool);

/* How many of those who are starved it makes sense to let try again. */
size_t connection_turns(const struct pool *pool);

/* The least `max_memory` with which a message of `max_bytes` can be received. */
uint64_t connection_least_memory(uint64_t max_bytes);

#endif
