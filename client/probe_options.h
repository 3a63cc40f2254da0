/* SPDX-License-Identifier: MIT */
/* What the command line asks of probes. */
#ifndef TINCAN_CLIENT_PROBE_OPTIONS_H
#define TINCAN_CLIENT_PROBE_OPTIONS_H

#include "client/pattern.h"
#include "common/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Long options without a letter. */
enum probe_option {
    PROBE_OPTION_PARALLEL = 512,
    PROBE_OPTION_SWEEP,
    PROBE_OPTION_JSON,
    PROBE_OPTION_CHECK,
    PROBE_OPTION_WARNING,
    PROBE_OPTION_CRITICAL,
    PROBE_OPTION_WARNING_LOSS,
    PROBE_OPTION_CRITICAL_LOSS,
    PROBE_OPTION_PROMETHEUS,
    PROBE_OPTION_HISTOGRAM,
};

/* The letters, as getopt(3) wants them. */
#define PROBE_OPTION_LETTERS "c:fi:P:s:w:"

/* The rows of getopt_long's table. */
#define PROBE_OPTION_ROWS                                                                          \
    {"count", required_argument, NULL, 'c'}, {"flood", no_argument, NULL, 'f'},                    \
        {"interval", required_argument, NULL, 'i'}, {"pattern", required_argument, NULL, 'P'},     \
        {"size", required_argument, NULL, 's'}, {"deadline", required_argument, NULL, 'w'},        \
        {"parallel", required_argument, NULL, PROBE_OPTION_PARALLEL},                              \
        {"sweep", required_argument, NULL, PROBE_OPTION_SWEEP},                                    \
        {"json", no_argument, NULL, PROBE_OPTION_JSON},                                            \
        {"check", no_argument, NULL, PROBE_OPTION_CHECK},                                          \
        {"warning", required_argument, NULL, PROBE_OPTION_WARNING},                                \
        {"critical", required_argument, NULL, PROBE_OPTION_CRITICAL},                              \
        {"warning-loss", required_argument, NULL, PROBE_OPTION_WARNING_LOSS},                      \
        {"critical-loss", required_argument, NULL, PROBE_OPTION_CRITICAL_LOSS},                    \
        {"prometheus", required_argument, NULL, PROBE_OPTION_PROMETHEUS},                          \
    {                                                                                              \
        "histogram", no_argument, NULL, PROBE_OPTION_HISTOGRAM                                     \
    }

/* A limit that was given, or not. */
struct probe_limit {
    bool given;
    double value; /* milliseconds, or percent */
};

struct probe_options {
    bool on;                /* one of these options was given */
    uint64_t count;         /* 0: no end */
    uint64_t interval_usec; /* 0: not given, or with `flood` none */
    uint64_t deadline_usec; /* 0: none */
    bool flood;
    uint64_t parallel; /* 0: not given, and no flood */
    bool parallel_given;
    bool has_size;
    uint64_t size; /* bytes */
    bool has_pattern;
    struct pattern pattern;
    const char *pattern_name;
    bool sweep;
    uint64_t sweep_from, sweep_to; /* bytes */
    bool json, check, histogram;
    const char *prometheus; /* a path, or NULL */
    struct probe_limit warning, critical, warning_loss, critical_loss;
};

enum probe_option_result { PROBE_OPTION_TAKEN, PROBE_OPTION_WRONG, PROBE_OPTION_NOT_MINE };

/*
 * Takes the option for which getopt_long returned `code`, with its value. At PROBE_OPTION_WRONG
 * the reason, naming both, was added to `reason`.
 */
enum probe_option_result probe_options_take(struct probe_options *options, int code,
                                            const char *value, struct text *reason);

/*
 * Refuses what contradicts itself, returning -1 with the reason added, and fills in what was not
 * given; `timeout_given` is whether --timeout was. Else returns 0.
 */
int probe_options_settle(struct probe_options *options, bool timeout_given, uint64_t *timeout_usec,
                         struct text *reason);

#endif
