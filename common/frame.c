/* SPDX-License-Identifier: MIT */
#include "common/frame.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* By first byte: how many bytes follow, and the range of the second (RFC 3629, section 4). */
static const struct {
    unsigned char more, low, high;
} leads[256] = {
    [0xc2 ... 0xdf] = {1, 0x80, 0xbf}, [0xe0] = {2, 0xa0, 0xbf},
    [0xe1 ... 0xec] = {2, 0x80, 0xbf}, [0xed] = {2, 0x80, 0x9f},
    [0xee ... 0xef] = {2, 0x80, 0xbf}, [0xf0] = {3, 0x90, 0xbf},
    [0xf1 ... 0xf3] = {3, 0x80, 0xbf}, [0xf4] = {3, 0x80, 0x8f},
};

/* Returns how many of the `size` bytes at `bytes`, from the first on, are ASCII other than null. */
static size_t ascii_run(const unsigned char *bytes, size_t size)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    size_t run = 0;
    uint64_t word;

    for (; size - run >= sizeof word; run += sizeof word) {
        memcpy(&word, bytes + run, sizeof word);
        /* A top bit remains if a byte is above 0x7f, or is null and borrows in the subtraction. */
        if (((word - ones) | word) & (ones << 7))
            break;
    }
    while (run < size && bytes[run] != 0 && bytes[run] < 0x80)
        run++;
    return run;
}

/* Takes a byte other than null. Returns whether it is valid after those before it. */
static bool take_byte(struct frame *frame, unsigned char byte)
{
    if (frame->pending == 0) {
        frame->pending = leads[byte].more;
        frame->low = leads[byte].low;
        frame->high = leads[byte].high;
        return byte < 0x80 || frame->pending > 0;
    }
    if (byte < frame->low || byte > frame->high)
        return false;
    frame->pending--;
    frame->low = 0x80;
    frame->high = 0xbf;
    return true;
}

void frame_init(struct frame *frame, size_t max_bytes)
{
    *frame = (struct frame){.status = FRAME_MORE, .max_bytes = max_bytes};
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

enum frame_status frame_feed(struct frame *frame, const void *bytes, size_t size)
{
    const unsigned char *next = bytes, *end = next + size;

    while (frame->status == FRAME_MORE && next < end) {
        if (frame->pending == 0 && *next < 0x80) {
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
