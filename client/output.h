/* SPDX-License-Identifier: MIT */
/* Error messages on standard error, and standard output, whose failure is reported once. */
#ifndef TINCAN_CLIENT_OUTPUT_H
#define TINCAN_CLIENT_OUTPUT_H

#include "client/net/explain.h"

/* What a struct text begins as: empty, with room for any sentence until its block ends. */
#define OUTPUT_SENTENCE ((struct text){(char[EXPLAIN_SIZE]){""}, EXPLAIN_SIZE, 0})

/* Writes "tincan: sentence" and a newline to standard error, as display_red() writes. */
void output_complain(const struct text *sentence);

/* The same for a constant sentence. */
void output_complain_string(const char *sentence);

/*
 * Flushes standard output. Returns 0; or -1 if output is lost, after which going on makes no sense.
 * The failure is reported and raises `*status` to STATUS_USAGE, with two exceptions: a signal
 * raises it to STATUS_FAILED only, and a pipe that is no longer read leaves it alone.
 */
int output_flush(int *status);

/*
 * Writes `length` bytes and then `end_length` at `end` to standard output, unbuffered and whole,
 * even if it is non-blocking. Returns as output_flush does.
 */
int output_bytes(const char *bytes, size_t length, const char *end, size_t end_length, int *status);

#endif
