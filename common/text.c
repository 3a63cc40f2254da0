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
    if (length > 0)
        text->length += (size_t)length < room ? (size_t)length : room - 1;
}

/* Escapes what is not printable ASCII, and the characters of `special`. */
static void add_escaped(struct text *text, const char *bytes, size_t length, const char *special)
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        char escape[4] = {'\\', 'x', hex[byte >> 4], hex[byte & 15]};

        if (byte >= 0x20 && byte <= 0x7e && !strchr(special, byte)) {
            text_add_bytes(text, &bytes[i], 1);
        } else if (text->size - 1 - text->length >= sizeof escape) {
            text_add_bytes(text, escape, sizeof escape);
        } else {
            return;
        }
    }
}

void text_add_escaped(struct text *text, const char *bytes, size_t length)
{
    add_escaped(text, bytes, length, "\"'\\");
}

void text_add_escaped_word(struct text *text, const char *bytes, size_t length)
{
    add_escaped(text, bytes, length, "\"'\\ =");
}
