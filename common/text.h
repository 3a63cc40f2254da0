/* SPDX-License-Identifier: MIT */
/* Text in a buffer of fixed size: what does not fit is dropped, and a null byte always follows. For
 * log lines and names, where cutting is right and failing is not. */
#ifndef TINCAN_COMMON_TEXT_H
#define TINCAN_COMMON_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct text {
    char *start;   /* the caller's buffer */
    size_t size;   /* its size in bytes, at least 1 */
    size_t length; /* bytes of text in it, below `size` */
};

/*@
  // A text is within its buffer, with a null byte behind it.
  predicate text_sound{L}(struct text *text) = \valid(text) && text->length < text->size &&
      \valid(text->start + (0 .. text->size - 1)) && text->start[text->length] == '\0' &&
      \separated(text, text->start + (0 .. text->size - 1));

  // It has the same buffer as before, and what was in it.
  predicate text_grew{Before, After}(struct text *text) =
      \at(text->start, After) == \at(text->start, Before) &&
      \at(text->size, After) == \at(text->size, Before) &&
      \at(text->length, After) >= \at(text->length, Before);
*/

/* Begins an empty text in the `size` bytes at `buffer`, which stay the caller's. */
/*@
  requires \valid(text) && size >= 1 && \valid(buffer + (0 .. size - 1));
  requires \separated(text, buffer + (0 .. size - 1));
  assigns *text, buffer[0];
  ensures text_sound(text) && text->start == buffer && text->size == size && text->length == 0;
*/
void text_init(struct text *text, char *buffer, size_t size);

/*@
  requires text_sound(text) && \valid_read(bytes + (0 .. length - 1));
  requires \separated(bytes + (0 .. length - 1), text, text->start + (0 .. text->size - 1));
  assigns text->length, text->start[text->length .. text->size - 1];
  ensures text_sound(text) && text_grew{Old, Post}(text);
  ensures text->length == \min(\old(text->length) + length, text->size - 1);
  ensures text->length > \old(text->length) ==> text->start[\old(text->length)] == bytes[0];
*/
void text_add_bytes(struct text *text, const char *bytes, size_t length);

/*@
  requires text_sound(text) && valid_read_string(string);
  requires \separated(string + (0 .. strlen(string)), text, text->start + (0 .. text->size - 1));
  assigns text->length, text->start[text->length .. text->size - 1];
  ensures text_sound(text) && text_grew{Old, Post}(text);
  ensures text->length == \min(\old(text->length) + strlen{Old}(string), text->size - 1);
*/
void text_add(struct text *text, const char *string);

/* Adds a string and a number in decimal. */
/*@
  requires text_sound(text) && valid_read_string(before);
  requires \separated(before + (0 .. strlen(before)), text, text->start + (0 .. text->size - 1));
  assigns text->length, text->start[text->length .. text->size - 1];
  ensures text_sound(text) && text_grew{Old, Post}(text);
*/
void text_add_number(struct text *text, const char *before, uintmax_t number);

/* Adds a number in hexadecimal, in small letters, with zeros in front up to `least` digits. */
/*@
  requires text_sound(text);
  assigns text->length, text->start[text->length .. text->size - 1];
  ensures text_sound(text) && text_grew{Old, Post}(text);
*/
void text_add_hex(struct text *text, unsigned number, size_t least);

/* As printf(3). In a file of its own: the handler does without, which saves a fifth of its size. */
/*@
  requires text_sound(text) && valid_read_string(format);
  assigns text->length, text->start[text->length .. text->size - 1];
  ensures text_sound(text) && text_grew{Old, Post}(text);
*/
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Adds `length` bytes from anywhere as printable ASCII that can't end a quoted string: quotes,
 * backslashes and everything outside 0x20 to 0x7e become \\xNN, which JSON and Python read
 * as \xNN. No escape is cut in half: if one does not fit, it and what follows are left out.
 */
/*@
  requires text_sound(text) && \valid_read(bytes + (0 .. length - 1));
  requires \separated(bytes + (0 .. length - 1), text, text->start + (0 .. text->size - 1));
  assigns text->length, text->start[text->length .. text->size - 1];
  ensures text_sound(text) && text_grew{Old, Post}(text);
*/
void text_add_escaped(struct text *text, const char *bytes, size_t length);

#endif
