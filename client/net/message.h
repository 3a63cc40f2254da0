/* SPDX-License-Identifier: MIT */
/* Whether bytes from a user can be sent as a message, found out before anything is sent. */
#ifndef TINCAN_CLIENT_NET_MESSAGE_H
#define TINCAN_CLIENT_NET_MESSAGE_H

#include <stddef.h>

enum message_fault {
    MESSAGE_GOOD,
    MESSAGE_HAS_NULL, /* the byte at the offset would end the message */
    MESSAGE_INVALID,  /* the byte at the offset can't stand there in UTF-8 */
    MESSAGE_CUT,      /* the offset is the end, and a character is unfinished there */
    MESSAGE_TOO_LONG, /* the offset is the limit, and there is a byte at it */
};

/* Checks `length` bytes, of which `max_bytes` may be sent, and sets `*offset` at a fault. */
enum message_fault message_check(const char *bytes, size_t length, size_t max_bytes,
                                 size_t *offset);

#endif
