/* SPDX-License-Identifier: MIT */
#include "client/net/verify.h"

#include <stdbool.h>
#include <string.h>

/* What is left to read of a possible tag. */
struct scan {
    const char *next, *end;
};

static bool take(struct scan *scan, char character)
{
    if (scan->next == scan->end || *scan->next != character)
        return false;
    scan->next++;
    return true;
}

static bool take_digits(struct scan *scan)
{
    const char *start = scan->next;

    while (scan->next < scan->end && *scan->next >= '0' && *scan->next <= '9')
        scan->next++;
    return scan->next > start;
}

/* A string of printable ASCII in either quote, with backslash escapes. */
static bool take_quoted(struct scan *scan)
{
    char quote = '\'';

    if (!take(scan, quote)) {
        quote = '"';
        if (!take(scan, quote))
            return false;
    }
    while (scan->next < scan->end && *scan->next >= ' ' && *scan->next <= '~') {
        char character = *scan->next++;
        if (character == quote)
            return true;
        if (character == '\\' && scan->next < scan->end && *scan->next >= ' ' && *scan->next <= '~')
            scan->next++;
    }
    return false;
}

/* Python prints an abstract AF_UNIX name as bytes: b'\x00name'. */
static bool take_name(struct scan *scan)
{
    take(scan, 'b');
    return take_quoted(scan);
}

static bool take_tuple(struct scan *scan)
{
    if (!take(scan, '('))
        return false;
    do {
        if (!take_digits(scan) && !take_name(scan))
            return false;
    } while (take(scan, ',') && take(scan, ' '));
    return take(scan, ')');
}

size_t verify_tag_length(const char *reply, size_t length)
{
    struct scan scan = {reply, reply + (length < VERIFY_TAG_MAX ? length : VERIFY_TAG_MAX)};
    bool peer = length > 0 && *reply == '(' ? take_tuple(&scan) : take_name(&scan);

    if (!peer || !take(&scan, ':') || !take(&scan, ' '))
        return 0;
    return (size_t)(scan.next - reply);
}

/* How many bytes are alike from the start. */
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
    size_t tag_length = verify_tag_length(reply, reply_length);

    if (plain.kind == VERIFY_INTACT || tag_length == 0)
        return plain;
    tagged = compare(message, length, reply + tag_length, reply_length - tag_length);
    tagged.tag_length = tag_length;
    /* A message may itself begin like a tag: the reading that agrees for longer is the right one.
     */
    return tagged.kind == VERIFY_INTACT || tagged.offset > plain.offset ? tagged : plain;
}
