/* SPDX-License-Identifier: MIT */
#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>

void text_addf(struct text *text, const char *format, ...)
{
    size_t room = text->size - text->length;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text->start + text->length, room, format, arguments);
    va_end(arguments);
    /*@ assert text->start[text->length + \min(length, room - 1)] == '\0'; */
    if (length > 0)
        text->length += (size_t)length < room ? (size_t)length : room - 1;
}
