/* SPDX-License-Identifier: MIT */
/* The options that both servers have: the limits of an exchange, its tag, and what is logged. */
#ifndef TINCAN_HANDLER_SETTINGS_H
#define TINCAN_HANDLER_SETTINGS_H

#include "common/text.h"

#include <getopt.h>
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
#define SETTINGS_LETTERS "+:m:t:TnqhV"
/* clang-format off */
#define SETTINGS_NAMES                                                                    \
    {"max-bytes", required_argument, NULL, 'm'}, {"timeout", required_argument, NULL, 't'}, \
    {"tag", no_argument, NULL, 'T'}, {"no-preview", no_argument, NULL, 'n'},               \
    {"quiet", no_argument, NULL, 'q'}, {"help", no_argument, NULL, 'h'},                   \
    {"version", no_argument, NULL, 'V'}
/* clang-format on */
#define SETTINGS_HELP                                                                              \
    "  -m, --max-bytes=SIZE  refuse messages longer than SIZE (default 1M; at most 1G)\n"          \
    "  -t, --timeout=TIME    end the whole exchange after TIME (default 300s; at most 7d)\n"       \
    "  -T, --tag             put the peer's address in front of the reply\n"                       \
    "  -n, --no-preview      do not show the message in the log line\n"                            \
    "  -q, --quiet           log nothing but errors of this program and its system\n"

/* All options of a program: the above and its own, which take() takes, with their values in
 * `optarg`. take() returns whether it knows the letter. */
struct program_options {
    const char *letters;
    const struct option *names;
    bool (*take)(struct settings *settings, int letter, struct text *problem);
};

/* What the command line asks for. */
enum action { ACTION_SERVE, ACTION_HELP, ACTION_VERSION, ACTION_REFUSE };

/*
 * Reads the command line into `settings`, which may be the start of a larger struct. If it can't be
 * used, adds a sentence to `problem` and returns ACTION_REFUSE.
 */
enum action settings_read(struct settings *settings, const struct program_options *program,
                          int argc, char **argv, struct text *problem);

/* Adds a sentence on the value of an option that can't be used; `wanted` says what could be. */
void settings_refuse(struct text *problem, const char *option, const char *value,
                     const char *wanted);

#endif
