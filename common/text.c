/* SPDX-License-Identifier: MIT */
#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_init(struct text *text, char *buffer, size_t size)
{
    *text = (struct text){.start = buffer, .size = size};
    buffer[0] = '\0';
}

void text_add_bytes(struct text *text, const char *bytes, size_t length)
{
    size_t room = text->size - 1 - text->length;

    if (length > room)
        length = room;
    /*@ assert \valid_read(bytes + (0 .. length - 1)); */
    memcpy(text->start + text->length, bytes, length);
    text->length += length;
    text->start[text->length] = '\0';
}

void text_add(struct text *text, const char *string)
{
    text_add_bytes(text, string, strlen(string));
}

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

void text_add_escaped(struct text *text, const char *bytes, size_t length)
{
    /*@
      loop invariant i <= length && text_sound(text) && text_grew{Pre, Here}(text);
      loop assigns i, text->length, text->start[\at(text->length, Pre) .. text->size - 1];
      loop variant length - i;
    */
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];

        if (byte >= 0x20 && byte <= 0x7e && !strchr("\"'\\", byte))
            text_add_bytes(text, &bytes[i], 1);
        else if (text->size - text->length > strlen("\\\\xNN"))
            text_addf(text, "\\\\x%02x", byte);
        else
            return;
    }
}
