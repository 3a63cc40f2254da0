/* SPDX-License-Identifier: MIT */
/*
 * Probes on a schedule, many at once: one thread, one epoll. Probe k begins at a moment fixed
 * beforehand, start + k * interval, however slow the answers before it are; memory is what was
 * allocated at the start, and what the largest replies needed.
 */
#ifndef TINCAN_CLIENT_PROBE_SCHEDULE_H
#define TINCAN_CLIENT_PROBE_SCHEDULE_H

#include "client/net/roundtrip.h"
#include "client/probe/watcher.h"

#include <stdbool.h>

struct schedule_plan {
    const struct target *target;
    const char *message;
    size_t length;
    uint64_t count;   /* of probes; 0: no end */
    int64_t interval; /* nanoseconds; 0: the next begins when there is a free place */
    int64_t timeout;  /* nanoseconds for each probe */
    int64_t until;    /* clock_now at which the run ends, or CLOCK_NEVER */
    int64_t tick;     /* nanoseconds between calls of `tick`, or 0 */
};

/* What is told as it happens. A function that returns -1 has the run stop. */
struct schedule_listener {
    void *context;
    int (*probe)(void *context, const struct roundtrip *roundtrip); /* it is over */
    /* The roundtrip could not connect to its address, and the next one is tried. */
    void (*address)(void *context, const struct roundtrip *roundtrip);
    int (*tick)(void *context, int64_t now);
    int (*interim)(void *context); /* SIGQUIT */
};

enum schedule_end {
    SCHEDULE_DONE,        /* all probes are over */
    SCHEDULE_DEADLINE,    /* `until` was reached */
    SCHEDULE_INTERRUPTED, /* by SIGINT or SIGTERM */
    SCHEDULE_STOPPED,     /* by the listener */
    SCHEDULE_FAILED,      /* errno: waiting failed */
};

struct schedule {
    struct watcher watcher;
    struct roundtrip *roundtrips; /* allocated once */
    size_t size;                  /* how many there are */
    size_t *free_slots;           /* a stack of those that are free */
    size_t free;
    size_t working;  /* the index of the address that works, or SIZE_MAX */
    size_t reported; /* of how many addresses it was told that they failed */

    /* Of the present run. */
    const struct schedule_plan *plan;
    const struct schedule_listener *listener;
    uint64_t begun;      /* probes so far */
    uint64_t unfinished; /* of them, those that the end of the run cut short */
    int64_t start;       /* clock_now, when the first was due */
    int64_t expiry;      /* no roundtrip is to be told before then that its time is up */
    int64_t next_tick;
    int64_t pause_until; /* after an error of this machine */
    size_t queueing;     /* roundtrips to try again soon */
    bool stopped;
};

/*
 * Makes an schedule for at most `size` probes at once. From then on SIGINT, SIGTERM and SIGQUIT
 * only reach it while it runs. Returns 0, or -1 with errno; in both cases it ends with
 * schedule_free.
 */
int schedule_init(struct schedule *schedule, size_t size);

/* Runs a plan to its end. What was learnt of the target's addresses is kept for the next run. */
enum schedule_end schedule_run(struct schedule *schedule, const struct schedule_plan *plan,
                               const struct schedule_listener *listener);

void schedule_free(struct schedule *schedule);

#endif
