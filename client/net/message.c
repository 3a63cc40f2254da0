/* SPDX-License-Identifier: MIT */
#include "client/net/message.h"

#include "common/frame.h"

enum message_fault message_check(const char *bytes, size_t length, size_t max_bytes, size_t *offset)
{
    struct frame frame;

    frame_init(&frame, max_bytes);
    frame_feed(&frame, bytes, length);
    frame_feed(&frame, "", 1); /* its null byte; without effect when a fault was found */
    *offset = frame.length;
    if (frame.status == FRAME_TOO_LONG)
        return MESSAGE_TOO_LONG;
    if (frame.status == FRAME_INVALID)
        return frame.length == length ? MESSAGE_CUT : MESSAGE_INVALID;
    return frame.length == length ? MESSAGE_GOOD : MESSAGE_HAS_NULL;
}
