/* SPDX-License-Identifier: MIT */
#include "client/net/message.h"

#include "common/frame.h"

void message_explain_too_long(size_t max_bytes, struct text *reason)
{
    text_addf(reason,
              "not sent: the byte at offset %zu is over the limit of %zu byte%s; --max-bytes sets "
              "another",
              max_bytes, max_bytes, max_bytes == 1 ? "" : "s");
}

int message_check(const char *bytes, size_t length, size_t max_bytes, struct text *reason)
{
    struct frame frame;

    frame_init(&frame, max_bytes);
    frame_feed(&frame, bytes, length);
    frame_feed(&frame, "", 1); /* its null byte; without effect after a fault */
    if (frame.status == FRAME_COMPLETE && frame.length == length)
        return 0;
    if (frame.status == FRAME_TOO_LONG) {
        message_explain_too_long(max_bytes, reason);
        return -1;
    }
    text_addf(reason, "not sent: the byte at offset %zu is ", frame.length);
    if (frame.status == FRAME_COMPLETE)
        text_add(reason, "0x00, which would end the message there");
    else if (frame.length == length)
        text_add(reason, "missing: the message ends within a character of UTF-8");
    else
        text_addf(reason, "0x%02x, which makes the text invalid UTF-8",
                  (unsigned char)bytes[frame.length]);
    return -1;
}
