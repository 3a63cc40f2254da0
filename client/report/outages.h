/* SPDX-License-Identifier: MIT */
/* The outages of a run: its lost probes, those that follow upon each other taken together. */
#ifndef TINCAN_CLIENT_REPORT_OUTAGES_H
#define TINCAN_CLIENT_REPORT_OUTAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTAGES_KEPT 16

struct outage {
    uint64_t first, last; /* sequence numbers */
    int64_t begun, ended; /* clock_now, when the first was due, and the one after the last */
    bool reported;        /* the caller's own */
};

struct outages {
    uint64_t count; /* of all; the last `kept` are in `list`, in order */
    size_t kept;
    struct outage list[OUTAGES_KEPT];
};

/* Adds a lost probe that was due at `due`, the next one at `next`. They come in any order. */
void outages_add(struct outages *outages, uint64_t sequence, int64_t due, int64_t next);

#endif
