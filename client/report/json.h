/* SPDX-License-Identifier: MIT */
/* Pieces of JSON on standard output. */
#ifndef TINCAN_CLIENT_REPORT_JSON_H
#define TINCAN_CLIENT_REPORT_JSON_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the string is, and so can be written as it is. */
bool json_is_utf8(const char *string);

/* A string with its quotes; what is not UTF-8 in it becomes U+FFFD. */
void json_string(const char *string);

/* A comma, the name, a colon, and the value; milliseconds to the nanosecond, null when negative. */
void json_string_field(const char *name, const char *value);
void json_count_field(const char *name, uint64_t value);
void json_number_field(const char *name, double value);
void json_milliseconds_field(const char *name, int64_t nsec);

#endif
