/* SPDX-License-Identifier: MIT */
#include "common/text.h"

#include <string.h>

#define MOST_DIGITS 20 /* of a uintmax_t in decimal */

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

/*@
  requires text_sound(text) && 10 <= base <= 16;
  assigns text->length, text->start[text->length .. text->size - 1];
  ensures text_sound(text) && text_grew{Old, Post}(text);
*/
static void add_digits(struct text *text, uintmax_t number, unsigned base, size_t least)
{
    char digits[MOST_DIGITS];
    size_t first = sizeof digits;

    /*@
      loop invariant first <= sizeof(digits);
      loop assigns first, number, digits[0 .. sizeof(digits) - 1];
      loop variant first;
    */
    while (first > 0 && (number > 0 || sizeof digits - first < least)) {
        /* cppcheck-suppress zerodivcond ; base is 10 or 16, whatever number is */
        unsigned digit = (unsigned)(number % base);
        digits[--first] = (char)(digit < 10 ? '0' + digit : 'a' - 10 + digit);
        number /= base;
    }
    text_add_bytes(text, &digits[first], sizeof digits - first);
}

void text_add_number(struct text *text, const char *before, uintmax_t number)
{
    text_add(text, before);
    add_digits(text, number, 10, 1);
}

void text_add_hex(struct text *text, unsigned number, size_t least)
{
    add_digits(text, number, 16, least);
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
        else if (text->size - text->length > strlen("\\\\xNN")) {
            text_add(text, "\\\\x");
            text_add_hex(text, byte, 2);
        } else
            return;
    }
}
