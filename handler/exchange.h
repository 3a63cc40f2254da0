/* SPDX-License-Identifier: MIT */
/* One exchange on descriptors that may block: read the message, send it back, close well. */
#ifndef TINCAN_HANDLER_EXCHANGE_H
#define TINCAN_HANDLER_EXCHANGE_H

#include "handler/launch.h"
#include "handler/peer.h"
#include "handler/result.h"

/* How long, and how many bytes, a server goes on taking from a peer that is still sending. */
#define EXCHANGE_LINGER_USEC  1000000
#define EXCHANGE_LINGER_BYTES ((size_t)64 << 10)

struct exchange {
    const struct launch *launch; /* the connection */
    const struct peer *tag;      /* whom to name in front of the reply, or NULL for no tag */
    size_t max_bytes;            /* the longest message accepted */
    char *message;               /* where it goes; set by exchange_prepare() */
    bool trailing;               /* the peer sent bytes after its null byte */
};

/*
 * Maps the memory for the message, which stays until the process ends. Returns 0, or -1 with the
 * result set.
 */
int exchange_prepare(struct exchange *exchange, struct outcome *outcome);

/*
 * Runs the exchange under the deadline that is set, and sets the result, the bytes and the message
 * of `outcome`.
 */
void exchange_run(struct exchange *exchange, struct outcome *outcome);

/*
 * Closes the sending side, so that the peer sees the end, and takes what it sent after its message
 * off the socket, without waiting: closing with unread input would send a reset, which can destroy
 * the reply on its way. Returns whether exchange_linger() is to be called: the peer has sent such
 * bytes, or was refused while it may still be sending. Does nothing on a pipe.
 */
bool exchange_close(const struct exchange *exchange, const struct outcome *outcome);

/* Goes on taking what the peer sends to end of file, for a second and 64 KiB at the most. */
void exchange_linger(const struct exchange *exchange);

#endif
