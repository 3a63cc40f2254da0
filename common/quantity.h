/* SPDX-License-Identifier: MIT */
/* Sizes and times as a user writes them: `64k`, `1M`, `500ms`, `1.5s`, `2m`. */
#ifndef TINCAN_COMMON_QUANTITY_H
#define TINCAN_COMMON_QUANTITY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads the decimal digits at the start of `text`, which ends at a byte that is no digit or after
 * `length` bytes. Returns how many there are and sets `*number`; or returns 0 and leaves it alone
 * if there is none, or the number is over `most`.
 */
size_t quantity_digits(const char *text, size_t length, uint64_t most, uint64_t *number);

/*
 * Reads a number of bytes: a whole number, then nothing or one of k, M, G (powers of 1024; K is
 * taken for k). Returns 0 and sets `*bytes`, or returns -1 and leaves it as it was: the text is no
 * such number, or the number is outside `least` to `most`.
 */
int quantity_size(const char *string, uint64_t least, uint64_t most, uint64_t *bytes);

/*
 * Reads a time: a number, perhaps with a decimal fraction, then nothing or one of us, ms, s, m, h,
 * d (days); without a unit it is seconds. What is finer than a microsecond is dropped. Returns 0
 * and sets `*usec` to microseconds, or returns -1 and leaves it as it was, as above.
 */
int quantity_time(const char *string, uint64_t least, uint64_t most, uint64_t *usec);

#endif
