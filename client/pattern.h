/* SPDX-License-Identifier: MIT */
/* The messages of probes: text of any size that shows what a path does to certain bytes. */
#ifndef TINCAN_CLIENT_PATTERN_H
#define TINCAN_CLIENT_PATTERN_H

#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pattern_kind {
    PATTERN_TEXT,   /* words and lines of ASCII */
    PATTERN_ASCII,  /* every character from 0x01 to 0x7f */
    PATTERN_UTF8,   /* characters of one to four bytes, the ends of each range among them */
    PATTERN_CRLF,   /* line endings of every kind */
    PATTERN_IAC,    /* what telnet and conversions to 7 or 8 bits alter */
    PATTERN_RANDOM, /* characters of all lengths from a seed, the same each time */
    PATTERN_FILE,   /* the contents of a file */
};

struct pattern {
    enum pattern_kind kind;
    uint64_t seed;    /* of PATTERN_RANDOM */
    const char *path; /* of PATTERN_FILE */
};

/* Reads the name of a pattern. Returns 0; or -1 with the reason added to `reason`. */
int pattern_parse(const char *string, struct pattern *pattern, struct text *reason);

/*
 * A message of `size` bytes of the pattern, which is repeated and cut between characters as that
 * needs, and filled up with dots. NULL with errno; else the caller frees it. `own` is the text to
 * repeat for PATTERN_FILE.
 */
char *pattern_make(const struct pattern *pattern, const char *own, size_t own_length, size_t size);

#endif
