/* SPDX-License-Identifier: MIT */
/*
 * Linked into tincand with --wrap=frame_feed: the decoder never returns from a message that begins
 * with "hang", so the event loop stops and the watchdog is no longer fed.
 */
#include "common/frame.h"

#include <string.h>

/* The names that the linker's --wrap makes. NOLINTBEGIN(*-reserved-identifier,cert-*) */
enum frame_status __real_frame_feed(struct frame *frame, const void *bytes, size_t size);
enum frame_status __wrap_frame_feed(struct frame *frame, const void *bytes, size_t size);

enum frame_status __wrap_frame_feed(struct frame *frame, const void *bytes, size_t size)
{
    static volatile int forever = 1;

    if (size >= 4 && memcmp(bytes, "hang", 4) == 0)
        while (forever)
            ;
    return __real_frame_feed(frame, bytes, size);
}
/* NOLINTEND(*-reserved-identifier,cert-*) */
