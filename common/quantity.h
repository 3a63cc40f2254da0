/* SPDX-License-Identifier: MIT */
/* Sizes and times as a user writes them: `64k`, `1M`, `500ms`, `1.5s`, `2m`. */
#ifndef TINCAN_COMMON_QUANTITY_H
#define TINCAN_COMMON_QUANTITY_H

#include <stddef.h>
#include <stdint.h>

/* Reads the decimal digits at the start of the `length` bytes at `text`. Returns how many there are
 * and sets `*number`; or returns 0 if there is none, or the number is over `most`. */
size_t quantity_digits(const char *text, size_t length, uint64_t most, uint64_t *number);

/*
 * Reads a size: a whole number, then nothing or k, M or G (powers of 1024; K is k). Returns 0 and
 * sets `*bytes`; or returns -1 if the string is no size from `least` to `most`.
 */
int quantity_size(const char *string, uint64_t least, uint64_t most, uint64_t *bytes);

/*
 * Reads a time: a number, perhaps with a decimal fraction, then us, ms, s, m, h, d (days), or
 * nothing for seconds. Parts of a microsecond are dropped. Returns 0 and sets `*usec`; or returns
 * -1 if the string is no time from `least` to `most` microseconds.
 */
int quantity_time(const char *string, uint64_t least, uint64_t most, uint64_t *usec);

#endif
