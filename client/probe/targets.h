/* SPDX-License-Identifier: MIT */
/* The targets of a run: those on the command line, and those of a file. */
#ifndef TINCAN_CLIENT_PROBE_TARGETS_H
#define TINCAN_CLIENT_PROBE_TARGETS_H

#include "client/report/report.h"

struct targets {
    struct target **list; /* those of the run that are to be probed */
    size_t count;
    const char **texts; /* as the user wrote them, each once */
    size_t text_count;
    char **lines; /* those of the file */
    size_t line_count;
    void *seen; /* those that are not to be added again: a tree of tsearch(3) */
};

/*
 * Makes `run->probed`, and finds the addresses until `deadline` (of clock_now). A line of the file
 * that is no address is not probed, nor is the only target if it has none: that is counted as its
 * outcome and, unless --check does, reported. Of several targets those without an address are
 * probed, as the resolver may find one later. `targets` is all zero. Returns 0; or -1 with the
 * reason added to `reason`. In both cases the caller ends it with targets_free().
 */
int targets_find(struct targets *targets, struct run *run, int64_t deadline, struct text *reason);

void targets_free(struct targets *targets, struct run *run);

#endif
