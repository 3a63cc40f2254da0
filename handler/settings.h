/* SPDX-License-Identifier: MIT */
/* The options that both servers have: the limits of an exchange, its tag, and what is logged. */
#ifndef TINCAN_HANDLER_SETTINGS_H
#define TINCAN_HANDLER_SETTINGS_H

#include "common/text.h"

#include <stdbool.h>
#include <stdint.h>

struct settings {
    uint64_t max_bytes; /* the longest message accepted, without its null byte; at most 1 GiB */
    uint64_t timeout;   /* of the whole exchange, in microseconds */
    bool tag;           /* put the peer in front of the reply */
    bool no_preview;    /* do not show the message in the log */
    bool quiet;         /* log only errors of the program and its system */
};

/* Their letters and names, for getopt_long(3), and their part of the text of --help. */
#define SETTINGS_LETTERS "m:t:Tnq"
/* clang-format off */
#define SETTINGS_NAMES                                   \
    {"max-bytes", required_argument, NULL, 'm'},         \
    {"timeout", required_argument, NULL, 't'},           \
    {"tag", no_argument, NULL, 'T'},                     \
    {"no-preview", no_argument, NULL, 'n'},              \
    {"quiet", no_argument, NULL, 'q'}
/* clang-format on */
#define SETTINGS_HELP                                                                              \
    "  -m, --max-bytes=SIZE  refuse messages longer than SIZE (default 1M; at most 1G)\n"          \
    "  -t, --timeout=TIME    end the whole exchange after TIME (default 300s; at most 7d)\n"       \
    "  -T, --tag             put the peer's address in front of the reply\n"                       \
    "  -n, --no-preview      do not show the message in the log line\n"                            \
    "  -q, --quiet           log nothing but errors of this program and its system\n"

/* Sets the defaults. */
void settings_init(struct settings *settings);

/*
 * Takes the option `letter`, with its `value` if it has one. Returns whether it is one of the
 * above. If its value can't be used, adds a sentence on that to `problem`.
 */
bool settings_take(struct settings *settings, int letter, const char *value, struct text *problem);

/* Adds `cannot use WHAT"QUOTED"WHY`, where the quoted text, from the command line, is escaped. */
void settings_refuse(struct text *problem, const char *what, const char *quoted, const char *why);

/* Adds a sentence on an option that getopt_long(3) refused; `argument` is what it had just read. */
void settings_refuse_option(struct text *problem, const char *argument);

/* Adds a sentence on an argument that is no option. */
void settings_refuse_argument(struct text *problem, const char *argument);

#endif
