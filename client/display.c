/* SPDX-License-Identifier: MIT */
#include "client/display.h"

#include "common/frame.h"

#include <stdint.h>

/* The size of the UTF-8 character at `bytes`, or 0 when there is none. */
static size_t character_size(const unsigned char *bytes, size_t length)
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

static uint32_t code_point(const unsigned char *bytes, size_t size)
{
    static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = bytes[0] & first_bits[size];

    for (size_t i = 1; i < size; i++)
        code = code << 6 | (bytes[i] & 0x3f);
    return code;
}

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f);
}

/* Direction marks, embeddings, overrides and isolates: they reorder what stands around them. */
static bool is_directional(uint32_t code)
{
    return code == 0x061c || code == 0x200e || code == 0x200f ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static bool is_separator(uint32_t code)
{
    return code == 0x2028 || code == 0x2029;
}

static bool is_noncharacter(uint32_t code)
{
    return (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) == 0xfffe;
}

static bool is_harmless(uint32_t code, bool lines)
{
    if (lines && (code == '\n' || code == '\t'))
        return true;
    return !is_control(code) && !is_directional(code) && !is_separator(code) &&
           !is_noncharacter(code);
}

void display(FILE *stream, const char *bytes, size_t length, bool lines)
{
    const unsigned char *next = (const unsigned char *)bytes;

    while (length > 0) {
        size_t size = character_size(next, length);

        if (size > 0 && is_harmless(code_point(next, size), lines)) {
            fwrite(next, 1, size, stream);
        } else {
            size = size > 0 ? size : 1;
            for (size_t i = 0; i < size; i++)
                fprintf(stream, "\\x%02x", next[i]);
        }
        next += size;
        length -= size;
    }
}
