/* SPDX-License-Identifier: MIT */
#include "common/frame.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Returns how many of the `size` bytes at `bytes`, from the first on, are ASCII other than null. */
static size_t ascii_run(const unsigned char *bytes, size_t size)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    size_t run = 0;

    while (size - run >= sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes + run, sizeof word);
        /* A top bit remains if a byte is above 0x7f, or is null and borrows in the subtraction. */
        if (((word - ones) | word) & (ones << 7))
            break;
        run += sizeof word;
    }
    while (run < size && bytes[run] != 0 && bytes[run] < 0x80)
        run++;
    return run;
}

/* Takes a byte other than null. Returns whether it is valid after those before it; the bounds are
 * those of RFC 3629, section 4. */
static bool take_byte(struct frame *frame, unsigned char byte)
{
    bool first = frame->pending == 0;

    if (first ? byte >= 0x80 && (byte < 0xc2 || byte > 0xf4)
              : byte < frame->low || byte > frame->high)
        return false;
    if (first)
        frame->pending = (unsigned char)((byte >= 0xc2) + (byte >= 0xe0) + (byte >= 0xf0));
    else
        frame->pending--;
    /* Lower is overlong; higher is a surrogate, or beyond U+10FFFF. */
    frame->low = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
    frame->high = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
    return true;
}

static enum frame_status feed_byte(struct frame *frame, unsigned char byte)
{
    if (byte == 0)
        return frame->pending ? FRAME_INVALID : FRAME_COMPLETE;
    if (frame->length == frame->max_bytes)
        return FRAME_TOO_LONG;
    if (!take_byte(frame, byte))
        return FRAME_INVALID;
    frame->length++;
    return FRAME_MORE;
}

void frame_init(struct frame *frame, size_t max_bytes)
{
    *frame = (struct frame){.status = FRAME_MORE, .max_bytes = max_bytes};
}

enum frame_status frame_feed(struct frame *frame, const void *bytes, size_t size)
{
    const unsigned char *next = bytes, *end = next + size;

    while (frame->status == FRAME_MORE && next < end) {
        if (frame->pending == 0) {
            size_t left = (size_t)(end - next), room = frame->max_bytes - frame->length;
            size_t run = ascii_run(next, left < room ? left : room);
            frame->length += run;
            next += run;
        }
        if (next < end)
            frame->status = feed_byte(frame, *next++);
    }
    return frame->status;
}
