/* SPDX-License-Identifier: MIT */
/* Comparing a reply with the message that was sent. A tag in front of it is no difference. */
#ifndef TINCAN_CLIENT_NET_VERIFY_H
#define TINCAN_CLIENT_NET_VERIFY_H

#include <stddef.h>

enum verify_kind {
    VERIFY_INTACT,
    VERIFY_DIFFERS, /* the bytes at `offset` differ */
    VERIFY_SHORTER, /* the reply ends at `offset`, where the message goes on */
    VERIFY_LONGER,  /* the message ends at `offset`, where the reply goes on */
};

struct verify {
    enum verify_kind kind;
    size_t tag_length; /* bytes of the tag in front of the reply, or 0 */
    size_t offset;     /* in the message, of the first difference */
    unsigned char sent, received;
};

/* Returns how the reply, without its null byte, differs from the message. */
struct verify verify(const char *message, size_t length, const char *reply, size_t reply_length);

#endif
