/* SPDX-License-Identifier: MIT */
/*
 * Text built in a buffer of fixed size: what does not fit is dropped, and the text is always ended
 * by a null byte. For log lines and names, where cutting is right and failing is not.
 */
#ifndef TINCAN_COMMON_TEXT_H
#define TINCAN_COMMON_TEXT_H

#include <stddef.h>

struct text {
    char *start;   /* the caller's buffer */
    size_t size;   /* its size in bytes, at least 1 */
    size_t length; /* bytes of text in it, below `size` */
};

/* Begins an empty text in the `size` bytes at `buffer`, which stay the caller's. */
void text_init(struct text *text, char *buffer, size_t size);

void text_add_bytes(struct text *text, const char *bytes, size_t length);
void text_add(struct text *text, const char *string);

/* Adds what printf(3) makes of the format. */
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Adds `length` bytes from anywhere so that nothing but printable ASCII comes out, and nothing that
 * ends a quoted string: all outside 0x20 to 0x7e, and both quotes and the backslash, become \xNN.
 * An escape is never cut in half: if one doesn't fit, it and all after it are left out.
 */
void text_add_escaped(struct text *text, const char *bytes, size_t length);

/* The same, for a value that stands without quotes: spaces and equals signs are escaped too. */
void text_add_escaped_word(struct text *text, const char *bytes, size_t length);

#endif
