/* SPDX-License-Identifier: MIT */
/* The mouth of the modes: complaints on standard error, and standard output watched for failure. */
#ifndef TINCAN_CLIENT_OUTPUT_H
#define TINCAN_CLIENT_OUTPUT_H

#include "common/text.h"

/* Writes "tincan: sentence" and a newline to standard error, nothing in it being taken for more
 * than text. */
void output_complain(const struct text *sentence);

/* The same for a constant sentence. */
void output_complain_string(const char *sentence);

/*
 * Flushes standard output. Returns 0, or -1 when what was written to it is lost: then it was said,
 * unless it is a pipe that nobody reads any more, and going on makes no sense. In that case
 * `*status` becomes STATUS_USAGE if it was less, unless it is that pipe, or STATUS_FAILED when a
 * signal cut it short.
 */
int output_flush(int *status);

/*
 * Writes `length` bytes and then `end_length` at `end` to standard output as they are, at once and
 * whole, also where it does not block. Returns as output_flush does.
 */
int output_bytes(const char *bytes, size_t length, const char *end, size_t end_length, int *status);

#endif
