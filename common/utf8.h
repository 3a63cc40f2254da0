/* SPDX-License-Identifier: MIT */
/* Characters of UTF-8 as RFC 3629 defines them. The frame decoder (frame.h) validates a stream;
 * this one takes a whole text apart. */
#ifndef TINCAN_COMMON_UTF8_H
#define TINCAN_COMMON_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * Decodes the character at the start of the `length` bytes at `bytes`. Returns its size, 1 to 4
 * bytes, and sets `*code` to its code point; or returns 0 and leaves `*code` alone if no valid
 * character other than U+0000 stands there.
 */
size_t utf8_decode(const char *bytes, size_t length, uint32_t *code);

#endif
