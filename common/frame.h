/* SPDX-License-Identifier: MIT */
/*
 * The protocol of PROTOCOL.md as an incremental decoder. It does no input or output and allocates
 * nothing: the caller feeds it the bytes of a connection as they come, cut in any way, and it says
 * at the earliest byte at which that can be known whether they are a message.
 *
 * A message is zero or more bytes of UTF-8 (RFC 3629) without U+0000, ended by one null byte.
 */
#ifndef TINCAN_COMMON_FRAME_H
#define TINCAN_COMMON_FRAME_H

#include <stddef.h>

/* The longest message accepted unless the user says otherwise, in bytes, its null byte not counted.
 */
#define FRAME_DEFAULT_MAX_BYTES ((size_t)1 << 20)

/* After a reply or a refusal, a server drains what the peer still sends for at most this long, and
 * at most this much of it (PROTOCOL.md, section 5). */
#define FRAME_LINGER_USEC  1000000
#define FRAME_LINGER_BYTES ((size_t)64 << 10)

enum frame_status {
    FRAME_MORE,     /* all bytes so far may begin a message */
    FRAME_COMPLETE, /* the null byte was seen: `length` bytes of message stand before it */
    FRAME_INVALID,  /* the byte at offset `length` can't stand there in UTF-8 */
    FRAME_TOO_LONG, /* `length` is the limit, and the byte at that offset is not the null byte */
};

struct frame {
    enum frame_status status;
    size_t length;           /* message bytes accepted so far, the null byte not counted */
    size_t max_bytes;        /* the most that `length` may become */
    unsigned char pending;   /* continuation bytes that the current character still needs */
    unsigned char low, high; /* what the next of them may be, both included */
};

/* Makes `frame` ready for the first byte of a message of at most `max_bytes` bytes. */
void frame_init(struct frame *frame, size_t max_bytes);

/*
 * Feeds the next `size` bytes of the connection and returns the status after them, which is also
 * kept in `frame->status`. Once the status is no longer FRAME_MORE it is final: whatever is fed
 * then is ignored. So after FRAME_COMPLETE, `length` + 1 bytes of all that was fed were the message
 * with its null byte, and the rest came after it.
 */
enum frame_status frame_feed(struct frame *frame, const void *bytes, size_t size);

#endif
