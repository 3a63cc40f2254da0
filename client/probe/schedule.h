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

struct engine_plan {
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
struct engine_listener {
    void *context;
    int (*probe)(void *context, const struct flight *flight); /* it is over */
    /* The flight could not connect to its address, and the next one is tried. */
    void (*address)(void *context, const struct flight *flight);
    int (*tick)(void *context, int64_t now);
    int (*interim)(void *context); /* SIGQUIT */
};

enum engine_end {
    ENGINE_DONE,        /* all probes are over */
    ENGINE_DEADLINE,    /* `until` was reached */
    ENGINE_INTERRUPTED, /* by SIGINT or SIGTERM */
    ENGINE_STOPPED,     /* by the listener */
    ENGINE_FAILED,      /* errno: waiting failed */
};

struct engine {
    struct watcher watcher;
    struct flight *flights; /* allocated once */
    size_t size;            /* how many there are */
    size_t *places;         /* a stack of those that are free */
    size_t free;
    size_t settled; /* the index of the address that works, or SIZE_MAX */
    size_t told;    /* of how many addresses it was told that they failed */

    /* Of the present run. */
    const struct engine_plan *plan;
    const struct engine_listener *listener;
    uint64_t begun;      /* probes so far */
    uint64_t unfinished; /* of them, those that the end of the run cut short */
    int64_t start;       /* clock_now, when the first was due */
    int64_t expiry;      /* no flight is to be told before then that its time is up */
    int64_t next_tick;
    int64_t pause_until; /* after an error of this machine */
    size_t queueing;     /* flights to try again soon */
    bool stopped;
};

/*
 * Makes an engine for at most `size` probes at once. From then on SIGINT, SIGTERM and SIGQUIT only
 * reach it while it runs. Returns 0, or -1 with errno; in both cases it ends with engine_free.
 */
int engine_init(struct engine *engine, size_t size);

/* Runs a plan to its end. What was learnt of the target's addresses is kept for the next run. */
enum engine_end engine_run(struct engine *engine, const struct engine_plan *plan,
                           const struct engine_listener *listener);

void engine_free(struct engine *engine);

#endif
