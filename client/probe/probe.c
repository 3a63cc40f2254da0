/* SPDX-License-Identifier: MIT */
#include "client/probe/probe.h"

#include "client/net/explain.h"
#include "client/output.h"
#include "client/probe/measure.h"
#include "client/probe/sweep.h"
#include "client/report/prometheus.h"
#include "common/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MOST_OVERLAPPING 1024 /* probes at once where the user named no number */
#define OWN_DESCRIPTORS  8    /* what is opened beside connections */

struct probe {
    const struct options *options;
    struct target target;
    struct probe_message message;
    struct schedule schedule;
    struct tally tally;
    struct run run;
    int status;
};

/* Says why there will be no probes; a plugin does so in its line. Returns -1. */
static int give_up(struct probe *probe, const struct text *sentence)
{
    if (probe->options->probe.check) {
        probe->status = REPORT_CHECK_UNKNOWN;
        report_check_failure(probe->status, sentence->start);
    } else {
        probe->status = STATUS_USAGE;
        output_complain(sentence);
    }
    return -1;
}

/* How many probes may be under way at once. */
static uint64_t free_slots(const struct options *options)
{
    const struct probe_options *probe = &options->probe;
    uint64_t most = probe->parallel;

    if (most == 0) {
        most = options->timeout_usec / probe->interval_usec + 2;
        most = most < MOST_OVERLAPPING ? most : MOST_OVERLAPPING;
    }
    return probe->count > 0 && probe->count < most ? probe->count : most;
}

static void tell_reduction(uint64_t wanted, uint64_t available)
{
    char buffer[EXPLAIN_SIZE];
    struct text text;

    text_init(&text, buffer, sizeof buffer);
    text_add(&text, "at most ");
    text_addf(&text, "%" PRIu64, (uint64_t)available);
    text_add(&text, " probes at once instead of ");
    text_addf(&text, "%" PRIu64, (uint64_t)wanted);
    text_add(&text, ", as the limit of descriptors (ulimit -n) leaves no more");
    output_complain(&text);
}

static int prepare_schedule(struct probe *probe)
{
    uint64_t size = free_slots(probe->options), available = watcher_capacity();
    char buffer[EXPLAIN_SIZE];
    struct text text;

    text_init(&text, buffer, sizeof buffer);
    available -= available < OWN_DESCRIPTORS ? available : OWN_DESCRIPTORS;
    if (size > available && probe->options->probe.parallel_given) {
        text_add(&text, "--parallel: ");
        text_addf(&text, "%" PRIu64, (uint64_t)size);
        text_add(&text, " connections at once need as many descriptors, and the limit (ulimit -n) "
                        "leaves ");
        text_addf(&text, "%" PRIu64, (uint64_t)available);
        return give_up(probe, &text);
    }
    available = available > 0 ? available : 1;
    if (size > available) {
        tell_reduction(size, available);
        size = available;
    }
    if (schedule_init(&probe->schedule, (size_t)size) == 0)
        return 0;
    text_add(&text, "preparing to probe: ");
    text_add(&text, strerror(errno));
    return give_up(probe, &text);
}

static int find_target(struct probe *probe)
{
    const struct options *options = probe->options;
    uint64_t limit = options->probe.deadline_usec, time = options->timeout_usec;
    struct roundtrip roundtrip = {.target = &probe->target, .begun = probe->run.started};
    char buffer[EXPLAIN_SIZE];
    struct text text;

    roundtrip.timeout = (int64_t)(limit > 0 && limit < time ? limit : time) * CLOCK_USEC;
    probe->target = (struct target){.address = &options->address,
                                    .family = options->family,
                                    .bind_address = &options->source,
                                    .failed = measure_report_failed_address};
    if (target_find(&probe->target, roundtrip.begun + roundtrip.timeout) == 0)
        return 0;
    roundtrip_begin(&roundtrip, NULL, 0); /* over at once, as there is no address */
    text_init(&text, buffer, sizeof buffer);
    explain_roundtrip(&text, &roundtrip);
    if (roundtrip.outcome != OUTCOME_UNRESOLVED)
        return give_up(probe, &text);
    probe->tally.resolve_nsec = probe->target.resolve_nsec;
    probe->status = measure_unresolved(&probe->run, &probe->tally, &text);
    if (options->probe.sweep && options->probe.json)
        sweep_print_unresolved(&probe->run, text.start);
    return -1;
}

static int64_t wall_offset(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * CLOCK_SECOND + now.tv_nsec - clock_now();
}

/* Finds out before any probe whether the Prometheus file can be written. */
static int try_file(struct probe *probe)
{
    const char *path = probe->options->probe.prometheus;
    char buffer[EXPLAIN_SIZE];
    struct text text;

    if (!path || prometheus_check(path) == 0)
        return 0;
    text_init(&text, buffer, sizeof buffer);
    prometheus_explain(path, &text);
    return give_up(probe, &text);
}

static void begin_run(struct probe *probe)
{
    const struct options *options = probe->options;
    int64_t now = clock_now(), limit = (int64_t)options->probe.deadline_usec * CLOCK_USEC;

    probe->run = (struct run){
        .options = options,
        .target = &probe->target,
        .tally = &probe->tally,
        .pattern =
            options->input == OPTIONS_MESSAGE ? "the given text" : options->probe.pattern.name,
        .started = now,
        .until = limit > 0 ? now + limit : CLOCK_NEVER,
        .wall_offset = wall_offset(),
    };
}

static int prepare(struct probe *probe)
{
    char buffer[EXPLAIN_SIZE];
    struct text reason;

    text_init(&reason, buffer, sizeof buffer);
    if (probe_message_make(&probe->message, probe->options, &reason) < 0)
        return give_up(probe, &reason);
    probe->run.length = probe->message.length;
    if (try_file(probe) < 0 || find_target(probe) < 0)
        return -1;
    return prepare_schedule(probe);
}

static void go(struct probe *probe)
{
    probe->tally.resolve_nsec = probe->target.resolve_nsec;
    probe->tally.begun = clock_now();
    probe->status = probe->options->probe.sweep
                        ? sweep(&probe->schedule, &probe->run, &probe->message)
                        : measure(&probe->schedule, &probe->message, &probe->run, &probe->tally);
}

int probe(const struct options *options)
{
    static struct probe probe; /* zero, and rather large for a stack */
    static char buffer[MEASURE_BUFFER_SIZE];

    probe.options = options;
    probe.schedule.watcher = (struct watcher){-1, -1, -1};
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    begin_run(&probe);
    if (prepare(&probe) == 0)
        go(&probe);
    schedule_free(&probe.schedule);
    target_free(&probe.target);
    probe_message_free(&probe.message);
    return probe.status;
}
