/* SPDX-License-Identifier: MIT */
/* One exchange on descriptors that may block: read the message, send it back, close well. */
#ifndef TINCAN_HANDLER_EXCHANGE_H
#define TINCAN_HANDLER_EXCHANGE_H

#include "handler/launch.h"
#include "handler/peer.h"
#include "handler/result.h"
#include "handler/settings.h"

struct exchange {
    const struct launch *launch; /* the connection */
    size_t max_bytes;            /* the longest message accepted */
    char *reply;                 /* the tag, and what was received so far behind it */
    size_t tag_length;           /* bytes of tag */
    char *memory;                /* room for the longest reply, and some bytes behind it */
    size_t size;                 /* of that memory */
    size_t discard;              /* how many bytes behind the message may still be discarded */
    bool trailing;               /* the peer sent bytes after its null byte */
};

/* Begins an exchange with `peer` on the connection `launch`. Maps its memory, for the life of the
 * process, and puts the tag there if one is set. Returns 0, or -1 with errno. */
int exchange_prepare(struct exchange *exchange, const struct launch *launch,
                     const struct settings *settings, const struct peer *peer);

/* Runs the exchange until it ends or the deadline passes. Sets the code of `result`, its bytes and
 * message, and the error if there was one. */
void exchange_run(struct exchange *exchange, struct result *result);

/*
 * Closes the sending side, so that the peer sees the end, and takes what it sent after its message
 * off the socket without waiting: closing with unread input would send a reset, and a reset can
 * destroy the reply on its way (RFC 1122, 4.2.2.13). If the peer sent such bytes, lingers, and sets
 * another result if there are too many. Returns whether exchange_linger() must follow: the peer was
 * refused and may still be sending. Does nothing on a pipe.
 */
bool exchange_close(struct exchange *exchange, struct result *result);

/* Reads and discards what the peer still sends, to end of file or the limits in frame.h. */
void exchange_linger(struct exchange *exchange);

#endif
