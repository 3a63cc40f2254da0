/* SPDX-License-Identifier: MIT */
/*
 * The exchange on a connection: the message and its null byte go out while the reply comes in, the
 * reply is compared with the message, and the server is given time to close first, so that its
 * side and not ours keeps the port for a while (TIME_WAIT). Nothing here waits.
 */
#ifndef TINCAN_CLIENT_NET_TRANSFER_H
#define TINCAN_CLIENT_NET_TRANSFER_H

#include "client/net/outcome.h"
#include "client/net/verify.h"
#include "common/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long a server may take to close the connection after its reply. */
#define TRANSFER_CLOSE_TIME CLOCK_SECOND

enum transfer_state {
    TRANSFER_SENDING,   /* some of the message is left to be sent */
    TRANSFER_RECEIVING, /* it is sent, or can't be; the reply is not complete */
    TRANSFER_CLOSING,   /* the echo is here; the server has not closed the connection */
    TRANSFER_OVER,      /* `outcome` is final */
};

struct transfer {
    enum transfer_state state;
    enum outcome outcome;   /* known from TRANSFER_CLOSING on */
    int error;              /* errno behind it, or 0 */
    size_t sent;            /* bytes sent, `length` + 1 with the null byte */
    char *reply;            /* the reply, without its null byte */
    size_t reply_length;    /* bytes in it, the null byte not counted */
    size_t extra;           /* bytes that were seen after the null byte */
    bool complete;          /* the null byte has come */
    bool left_open;         /* the server had TRANSFER_CLOSE_TIME, and did not close */
    struct verify compared; /* of OUTCOME_ECHOED, OUTCOME_ALTERED and OUTCOME_EXTRA */

    /* Moments of clock_now, or 0. */
    int64_t started;
    int64_t first_at;   /* the first byte of the reply came */
    int64_t replied_at; /* its null byte came */
    int64_t closed_at;  /* after that, the server closed the connection */

    int fd;
    int send_error; /* errno after which nothing more is sent */
    const char *message;
    size_t length;
    size_t reply_size; /* allocated for `reply` */
};

/*
 * Begins to exchange `length` bytes at `message`, which must stay until the end, on the connected
 * non-blocking `fd`, which stays the caller's. `transfer` is all zero before its first use; its
 * buffer is used again.
 */
void transfer_begin(struct transfer *transfer, int fd, const char *message, size_t length);

/* Returns the events of poll(2) to wait for. */
short transfer_events(const struct transfer *transfer);

/* Moves bytes after `events`, of which POLLRDHUP saves a wait. */
void transfer_step(struct transfer *transfer, int events);

/* Ends the transfer as its time is up. */
void transfer_expire(struct transfer *transfer);

/* Frees the buffer, after which the transfer is of no use. */
void transfer_free(struct transfer *transfer);

#endif
