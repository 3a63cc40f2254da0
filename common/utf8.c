/* SPDX-License-Identifier: MIT */
#include "common/utf8.h"

#include "common/frame.h"

/* The size of the character at `bytes`, or 0. */
static size_t character_size(const char *bytes, size_t length)
{
    struct frame frame;

    frame_init(&frame, 4);
    for (size_t size = 1; size <= length && size <= 4; size++) {
        if (frame_feed(&frame, bytes + size - 1, 1) != FRAME_MORE)
            return 0;
        if (frame.pending == 0)
            return size;
    }
    return 0;
}

size_t utf8_decode(const char *bytes, size_t length, uint32_t *code)
{
    static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t size = character_size(bytes, length);
    uint32_t value;

    if (size == 0)
        return 0;
    value = (unsigned char)bytes[0] & first_bits[size];
    for (size_t i = 1; i < size; i++)
        value = value << 6 | ((unsigned char)bytes[i] & 0x3f);
    *code = value;
    return size;
}
