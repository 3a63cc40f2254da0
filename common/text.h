/* SPDX-License-Identifier: MIT */
/* Text in a buffer of fixed size: what does not fit is dropped, and a null byte always follows. For
 * log lines and names, where cutting is right and failing is not. */
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
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Adds `length` bytes from anywhere as printable ASCII that can't end a quoted string: quotes,
 * backslashes and everything outside 0x20 to 0x7e become \\xNN, which JSON and Python read
 * as \xNN. No escape is cut in half: if one does not fit, it and what follows are left out.
 */
void text_add_escaped(struct text *text, const char *bytes, size_t length);

#endif
