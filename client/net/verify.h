/* SPDX-License-Identifier: MIT */
/* Comparing a reply with the message that was sent, a tag in front of it allowed for. */
#ifndef TINCAN_CLIENT_NET_VERIFY_H
#define TINCAN_CLIENT_NET_VERIFY_H

#include <stddef.h>

/* The longest tag that is taken for one, in bytes. */
#define VERIFY_TAG_MAX ((size_t)256)

enum verify_kind {
    VERIFY_INTACT,
    VERIFY_DIFFERS, /* the byte at `offset` is another */
    VERIFY_SHORTER, /* the reply ends at `offset`, where the message goes on */
    VERIFY_LONGER,  /* the message ends at `offset`, where the reply goes on */
};

struct verify {
    enum verify_kind kind;
    size_t tag_length; /* bytes in front of the message that are a tag, or 0 */
    size_t offset;     /* in the message, of the first difference */
    unsigned char sent, received;
};

/*
 * The length of the tag with which the reply begins, or 0. A tag is a peer as Python prints a
 * socket address, a tuple such as ('127.0.0.1', 54321) or a quoted string, then a colon and a
 * space; printable ASCII, at most VERIFY_TAG_MAX bytes.
 */
size_t verify_tag_length(const char *reply, size_t length);

/* Compares the reply, without its null byte, with the message. */
struct verify verify(const char *message, size_t length, const char *reply, size_t reply_length);

#endif
