/* SPDX-License-Identifier: MIT */
/*
 * Probes on a schedule, many at once: one thread, one epoll. Probe k of a target is due at a moment
 * fixed beforehand, start + k * interval, however slow the replies before it are; the targets are
 * spread evenly over the interval. Memory is what schedule_init() allocates and what the largest
 * replies need.
 */
#ifndef TINCAN_CLIENT_PROBE_SCHEDULE_H
#define TINCAN_CLIENT_PROBE_SCHEDULE_H

#include "client/net/roundtrip.h"
#include "client/probe/watcher.h"

#include <stdbool.h>

/* What to send, and the functions that are called as things happen. */
struct schedule_plan {
    struct target *const *targets;
    size_t target_count; /* at least 1 */
    const char *message;
    size_t length;
    uint64_t count;   /* of probes of each target; 0: no end */
    int64_t interval; /* nanoseconds between those of a target; 0: when there is a free slot */
    int64_t timeout;  /* nanoseconds for each probe */
    int64_t until;    /* clock_now, when the run ends, or CLOCK_NEVER */

    void *context; /* for the functions */
    /* A round trip is over. All functions but this one may be NULL. The run stops when one returns
     * -1. */
    int (*roundtrip)(void *context, const struct roundtrip *roundtrip);
    /* For each that is running, before `tick` and `interim`. */
    void (*running)(void *context, struct roundtrip *roundtrip, int64_t now);
    /* The end of the run has cut one short. */
    void (*cut_short)(void *context, const struct roundtrip *roundtrip);
    /* Four times a second; `begun`: probes of each target so far, at least. */
    int (*tick)(void *context, int64_t now, uint64_t begun);
    /* At SIGQUIT. */
    int (*interim)(void *context);
};

enum schedule_end {
    SCHEDULE_RUNNING,     /* never returned */
    SCHEDULE_DONE,        /* all probes are over */
    SCHEDULE_DEADLINE,    /* `until` was reached */
    SCHEDULE_INTERRUPTED, /* by SIGINT or SIGTERM */
    SCHEDULE_STOPPED,     /* a function of the plan returned -1 */
    SCHEDULE_FAILED,      /* errno: waiting failed */
};

struct schedule {
    struct watcher watcher;
    struct roundtrip *roundtrips; /* `size` slots */
    size_t size;
    size_t *free_slots; /* a stack of their indices, */
    size_t free;        /* and how many are on it */
    size_t used;        /* those from here on were never used */

    /* Of the present run. */
    const struct schedule_plan *plan;
    uint64_t begun;     /* probes so far */
    int64_t start;      /* clock_now, when the first was due */
    int64_t next_timer; /* lowest timer of a running probe, or an earlier moment */
    int64_t next_tick;
    int64_t pause_until; /* after an error of this machine */
    bool stopped;
};

/*
 * Makes a schedule for at most `size` probes at once. Its watcher is ready, and all else is zero.
 * Returns 0, or -1 with errno. In both cases the caller ends it with schedule_free().
 */
int schedule_init(struct schedule *schedule, size_t size);

/* Runs a plan to its end. */
enum schedule_end schedule_run(struct schedule *schedule, const struct schedule_plan *plan);

void schedule_free(struct schedule *schedule);

#endif
