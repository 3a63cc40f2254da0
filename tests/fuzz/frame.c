/* SPDX-License-Identifier: MIT */
/* The decoder, fed in pieces of which none can be read past its end, against the reference of
 * tests/exhaust. The input: the limit, then pieces, each behind its length. */
#include "tests/exhaust/exhaust.h"
#include "tests/fuzz/input.h"

#include <stdlib.h>
#include <string.h>

/* Feeds `size` bytes of memory that has no more. Returns how many of them the reference took. */
static void feed_piece(struct frame *frame, struct reference *reference, const uint8_t *bytes,
                       size_t size)
{
    uint8_t *piece = malloc(size + !size);

    if (!piece)
        return;
    memcpy(piece, bytes, size);
    for (size_t i = 0; i < size; i++)
        reference_feed(reference, piece[i]);
    require(frame_feed(frame, piece, size) == frame->status, "the status is what is returned");
    require(reference_agrees(reference, frame), "decoder and reference agree");
    free(piece);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    size_t limit = input_byte(&input);
    struct reference reference = {.max_bytes = limit < 255 ? limit : SIZE_MAX};
    struct frame frame;

    frame_init(&frame, reference.max_bytes);
    while (input.left > 0) {
        size_t piece = input_byte(&input);
        if (piece > input.left)
            piece = input.left;
        feed_piece(&frame, &reference, input.next, piece);
        input.next += piece;
        input.left -= piece;
    }
    return 0;
}
