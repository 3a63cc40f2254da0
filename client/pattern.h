/* SPDX-License-Identifier: MIT */
/* Messages of probes: text of any size whose bytes a network path may alter. */
#ifndef TINCAN_CLIENT_PATTERN_H
#define TINCAN_CLIENT_PATTERN_H

#include "common/text.h"

#include <stddef.h>
#include <stdint.h>

enum pattern_kind {
    PATTERN_TEXT,   /* words and lines of ASCII */
    PATTERN_ASCII,  /* every character from 0x01 to 0x7f */
    PATTERN_UTF8,   /* characters of one to four bytes, also those that end each range */
    PATTERN_CRLF,   /* line endings of every kind */
    PATTERN_IAC,    /* what telnet and conversions to 7 or 8 bits alter */
    PATTERN_RANDOM, /* characters of all lengths from a seed, the same each time */
    PATTERN_FILE,   /* the contents of a file */
};

struct pattern {
    const char *name; /* as the user wrote it */
    enum pattern_kind kind;
    uint64_t seed;    /* of PATTERN_RANDOM */
    const char *path; /* of PATTERN_FILE */
};

/* Reads the name of a pattern, and keeps a pointer to it. Returns 0; or -1 with the reason added to
 * `reason`. */
int pattern_parse(const char *string, struct pattern *pattern, struct text *reason);

/*
 * Returns a message of `size` bytes, which the caller frees, or NULL with errno. The pattern is
 * repeated, cut between characters, and filled up with dots. `own` is the text of PATTERN_FILE, a
 * character at least.
 */
char *pattern_make(const struct pattern *pattern, const char *own, size_t own_length, size_t size);

#endif
