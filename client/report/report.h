/* SPDX-License-Identifier: MIT */
/*
 * What a run of probes prints. Each report is a set of functions that are called as things happen;
 * they write to standard output, which the mode watches for failure.
 */
#ifndef TINCAN_CLIENT_REPORT_REPORT_H
#define TINCAN_CLIENT_REPORT_REPORT_H

#include "client/options.h"
#include "client/report/tally.h"

/* A run, as reports see it. */
struct run {
    const struct options *options;
    struct target *target;
    const struct tally *tally;
    const char *pattern; /* its name */
    size_t length;       /* of the message, in bytes */
    int64_t started;     /* clock_now, before its name was resolved */
    int64_t until;       /* clock_now at which it ends at the latest, or CLOCK_NEVER */
    int64_t wall_offset; /* what to add to clock_now for nanoseconds since 1970, UTC */
    bool interrupted;    /* the run ended at a signal */
    bool faulty;         /* something beside the probes failed on this machine */
};

/* Each function may be NULL. */
struct report {
    void (*begin)(const struct run *run);
    /* A roundtrip is over; `why` is the sentence that explains it, or NULL for an echo, and `guess`
     * what altered it, or NULL. */
    void (*probe)(const struct run *run, const struct roundtrip *roundtrip, const char *why,
                  const char *guess);
    void (*interim)(const struct run *run);
    void (*end)(const struct run *run);
};

extern const struct report report_text;  /* for people */
extern const struct report report_json;  /* an object a line */
extern const struct report report_check; /* one line, as monitoring systems want it */

/* The exit statuses of report_check, which are those of plugins of monitoring systems. */
enum {
    REPORT_CHECK_OK,
    REPORT_CHECK_WARNING,
    REPORT_CHECK_CRITICAL,
    REPORT_CHECK_UNKNOWN,
};

int report_check_status(const struct run *run);

/* Probes that the end of the run cut short, or kept from beginning where it has a count. */
uint64_t report_unfinished(const struct run *run);

/* The exit status of a run: that of its outcomes, and at its end STATUS_FAILED at least where it
 * did not bring the echoes that were asked for. */
int report_status(const struct run *run);

/* The line of a plugin that could not begin, with one of the above. */
void report_check_failure(int status, const char *why);

/* How the server is called: its address where it is known, else as the user wrote it. */
const char *report_peer(const struct run *run);

double report_milliseconds(int64_t nsec);

#endif
