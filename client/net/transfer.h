/* SPDX-License-Identifier: MIT */
/*
 * One exchange on a connection: the message and its null byte go out while the reply comes in, the
 * reply is compared with the message, and the server is given the time to close first.
 *
 * It can be driven in two ways: by functions that each wait for one phase to end, so that a mode
 * can tell its user about it; or step by step without waiting, so that many can go on at once.
 */
#ifndef TINCAN_CLIENT_NET_TRANSFER_H
#define TINCAN_CLIENT_NET_TRANSFER_H

#include "client/net/outcome.h"
#include "client/net/verify.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct transfer {
    enum outcome outcome;   /* OUTCOME_ECHOED until something else is known */
    int error;              /* errno, where a call failed */
    size_t sent;            /* bytes sent, up to `length` + 1 with the null byte */
    char *reply;            /* the reply, without a null byte; the module's, kept for the next */
    size_t reply_length;    /* bytes in it, the null byte not counted */
    bool complete;          /* its null byte has come */
    size_t extra;           /* bytes seen after that */
    bool left_open;         /* the server had not closed the connection when we gave up waiting */
    struct verify compared; /* when ECHOED, ALTERED or EXTRA */
    /* Moments of clock_now, 0 when it has not come to that. */
    int64_t started, sent_at;
    int64_t first_at;   /* the first byte of the reply came */
    int64_t replied_at; /* its null byte came */
    int64_t closed_at;  /* after that, the server closed the connection */

    const char *message;
    size_t length;
    int fd;
    int64_t deadline;
    size_t reply_size; /* allocated for `reply` */
    int send_error;    /* errno after which nothing more is sent */
    bool over;         /* no more of the reply is to be had from the connection */
    bool timed_out;
    bool judged; /* `outcome` is what came of the reply */
    bool ended;  /* and there is nothing more to wait for */
};

/*
 * Begins an exchange of `length` bytes at `message`, which must stay until its end, on the
 * connected non-blocking `fd`, which stays the caller's. Everything ends by `deadline` (of
 * clock_now). `transfer` is all zero before its first use; its buffer is used again after that.
 */
void transfer_begin(struct transfer *transfer, int fd, const char *message, size_t length,
                    int64_t deadline);

/* Sends, taking in what comes meanwhile. Returns whether the whole message went out. */
bool transfer_send(struct transfer *transfer);

/* Receives the rest of the reply and compares it. Returns the outcome. */
enum outcome transfer_receive(struct transfer *transfer);

/*
 * After an echo: waits, for a second at most, until the server closes the connection, so that its
 * side and not ours keeps the port for a while (TIME_WAIT). Returns the outcome, which can still
 * become OUTCOME_EXTRA.
 */
enum outcome transfer_finish(struct transfer *transfer);

/* All of the above in order. */
enum outcome transfer(struct transfer *transfer, int fd, const char *message, size_t length,
                      int64_t deadline);

/* Step by step: after transfer_begin and until it has `ended`, whoever waits for the connection ...
 */

/* ... asks for which events of poll(2), */
short transfer_wants(const struct transfer *transfer);

/* ... reports the events that came, of which POLLRDHUP saves a call, to let bytes move, */
void transfer_step(struct transfer *transfer, int events);

/* ... and until when to wait, */
int64_t transfer_until(const struct transfer *transfer);

/* ... to say that this moment has passed, which ends the exchange. */
void transfer_expire(struct transfer *transfer);

/* Frees what `transfer` holds. */
void transfer_free(struct transfer *transfer);

#endif
