/* SPDX-License-Identifier: MIT */
#include "client/net/verify.h"

#include "common/tag.h"

#include <string.h>

/* Returns how many bytes are alike from the start. */
static size_t common_length(const char *one, const char *other, size_t length)
{
    size_t at = 0;

    if (memcmp(one, other, length) == 0)
        return length;
    while (at < length && one[at] == other[at])
        at++;
    return at;
}

static struct verify compare(const char *message, size_t length, const char *reply,
                             size_t reply_length)
{
    size_t shorter = length < reply_length ? length : reply_length;
    struct verify found = {.offset = common_length(message, reply, shorter)};

    if (found.offset < shorter) {
        found.kind = VERIFY_DIFFERS;
        found.sent = (unsigned char)message[found.offset];
        found.received = (unsigned char)reply[found.offset];
    } else if (length != reply_length) {
        found.kind = length < reply_length ? VERIFY_LONGER : VERIFY_SHORTER;
    }
    return found;
}

struct verify verify(const char *message, size_t length, const char *reply, size_t reply_length)
{
    struct verify plain = compare(message, length, reply, reply_length), tagged;
    size_t tag = tag_length(reply, reply_length);

    if (plain.kind == VERIFY_INTACT || tag == 0)
        return plain;
    tagged = compare(message, length, reply + tag, reply_length - tag);
    tagged.tag_length = tag;
    /* The message itself may begin like a tag. The reading that agrees for longer is right. */
    return tagged.kind == VERIFY_INTACT || tagged.offset > plain.offset ? tagged : plain;
}
