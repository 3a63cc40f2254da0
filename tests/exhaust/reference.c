/* SPDX-License-Identifier: MIT */
#include "tests/exhaust/exhaust.h"

#include <stdio.h>
#include <stdlib.h>

uint64_t feeds;

/* Returns whether any code point from `low` to `high` is a character of `size` bytes. */
static bool has_character(uint32_t low, uint32_t high, unsigned size)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    static const uint32_t most[] = {0, 0x7f, 0x7ff, 0xffff, 0x10ffff};

    low = low > least[size] ? low : least[size];
    high = high < most[size] ? high : most[size];
    return low <= high && !(low >= 0xd800 && high <= 0xdfff); /* not all of them surrogates */
}

/* Takes the first byte of a character. Returns whether it may be one. */
static bool begin_character(struct reference *reference, unsigned byte)
{
    unsigned size = byte >> 7 == 0 ? 1 : byte >> 5 == 6 ? 2 : byte >> 4 == 14 ? 3 : 4;

    if (size == 4 && byte >> 3 != 30)
        return false;
    reference->code = size == 1 ? byte : byte & (0x7fu >> size);
    reference->size = size;
    reference->left = size - 1;
    return true;
}

/* Adds the bits of a byte. Returns whether there is a character that begins so. */
static bool add_byte(struct reference *reference, unsigned byte)
{
    uint32_t low;

    if (reference->left == 0) {
        if (!begin_character(reference, byte))
            return false;
    } else {
        if (byte >> 6 != 2)
            return false;
        reference->code = reference->code << 6 | (byte & 0x3f);
        reference->left--;
    }
    low = reference->code << 6 * reference->left;
    return has_character(low, low | ((1u << 6 * reference->left) - 1), reference->size);
}

void reference_feed(struct reference *reference, unsigned char byte)
{
    if (reference->status != FRAME_MORE)
        return;
    if (byte == 0)
        reference->status = reference->left == 0 ? FRAME_COMPLETE : FRAME_INVALID;
    else if (reference->length == reference->max_bytes)
        reference->status = FRAME_TOO_LONG;
    else if (!add_byte(reference, byte))
        reference->status = FRAME_INVALID;
    else
        reference->length++;
}

bool reference_agrees(const struct reference *reference, const struct frame *frame)
{
    return frame->status == reference->status && frame->length == reference->length &&
           (frame->status != FRAME_MORE || frame->pending == reference->left);
}

const char *status_word(enum frame_status status)
{
    static const char *const words[] = {
        [FRAME_MORE] = "more",
        [FRAME_COMPLETE] = "complete",
        [FRAME_INVALID] = "invalid",
        [FRAME_TOO_LONG] = "too-long",
    };

    return words[status];
}

void reference_differs(const struct reference *reference, const struct frame *frame,
                       const unsigned char *bytes, size_t size, const char *split)
{
    printf("the decoder differs:");
    for (size_t i = 0; i < size; i++)
        printf(" %02x", bytes[i]);
    printf(" (%s, at most %zu bytes): %s at %zu with %u pending, not %s at %zu with %u\n", split,
           reference->max_bytes, status_word(frame->status), frame->length, frame->pending,
           status_word(reference->status), reference->length, reference->left);
    exit(1);
}

enum frame_status feed(struct frame *frame, const void *bytes, size_t size)
{
    feeds++;
    return frame_feed(frame, bytes, size);
}
