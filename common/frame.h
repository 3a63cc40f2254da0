/* SPDX-License-Identifier: MIT */
/*
 * The protocol of PROTOCOL.md as an incremental decoder, without input, output or allocation. The
 * caller feeds it the bytes of a connection as they come, cut in any way; it decides at the
 * earliest possible byte whether they are a message: zero or more bytes of UTF-8 (RFC 3629) without
 * U+0000, ended by one null byte.
 */
#ifndef TINCAN_COMMON_FRAME_H
#define TINCAN_COMMON_FRAME_H

#include <stddef.h>

/* The default for the longest message accepted, in bytes, without its null byte. */
#define FRAME_DEFAULT_MAX_BYTES ((size_t)1 << 20)

/* After a reply or a refusal, a server drains what the peer still sends for at most this long, and
 * at most this much of it (PROTOCOL.md, section 5). */
#define FRAME_LINGER_USEC  1000000
#define FRAME_LINGER_BYTES ((size_t)64 << 10)

enum frame_status {
    FRAME_MORE,     /* the bytes so far may begin a message */
    FRAME_COMPLETE, /* the null byte came, after `length` bytes of message */
    FRAME_INVALID,  /* the byte at offset `length` is not valid there */
    FRAME_TOO_LONG, /* `length` is the limit, and the byte there is not the null byte */
};

struct frame {
    enum frame_status status;
    unsigned pending;   /* continuation bytes that the character still needs */
    unsigned low, high; /* the range of the next of them */
    size_t length;      /* message bytes accepted so far, without the null byte */
    size_t max_bytes;   /* the most that `length` may become */
};

/*@
  // Bytes can follow that complete the character.
  predicate frame_sound{L}(struct frame *frame) = frame->length <= frame->max_bytes &&
      FRAME_MORE <= frame->status <= FRAME_TOO_LONG && frame->pending <= 3 &&
      (frame->pending > 0 ==> 0x80 <= frame->low <= frame->high <= 0xbf);
*/

/* Makes `frame` ready for the first byte of a message of at most `max_bytes` bytes. */
/*@
  requires \valid(frame);
  assigns *frame;
  ensures frame_sound(frame) && frame->status == FRAME_MORE;
  ensures frame->max_bytes == max_bytes && frame->length == 0 && frame->pending == 0;
*/
void frame_init(struct frame *frame, size_t max_bytes);

/*
 * Feeds the next `size` bytes of the connection. Returns the status after them, which is also in
 * `frame->status`. A status other than FRAME_MORE is final: bytes fed after that are ignored. So
 * after FRAME_COMPLETE, `length` + 1 of all bytes fed were the message with its null byte.
 */
/*@
  requires \valid(frame) && frame_sound(frame);
  requires \valid_read((unsigned char *)bytes + (0 .. size - 1));
  requires \separated(frame, (unsigned char *)bytes + (0 .. size - 1));
  assigns *frame;
  ensures frame_sound(frame) && \result == frame->status;
  ensures frame->max_bytes == \old(frame->max_bytes);
  ensures \old(frame->length) <= frame->length <= \old(frame->length) + size;
  ensures \old(frame->status) != FRAME_MORE ==>
    \result == \old(frame->status) && frame->length == \old(frame->length);
  ensures \result == FRAME_MORE ==> frame->length == \old(frame->length) + size;
  ensures \result != \old(frame->status) ==> frame->length < \old(frame->length) + size &&
    (\result == FRAME_COMPLETE ==> frame->pending == 0 &&
     ((unsigned char *)bytes)[frame->length - \old(frame->length)] == 0) &&
    (\result == FRAME_TOO_LONG ==> frame->length == frame->max_bytes);
*/
enum frame_status frame_feed(struct frame *frame, const void *bytes, size_t size);

#endif
