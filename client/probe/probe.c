/* SPDX-License-Identifier: MIT */
#include "client/probe/probe.h"

#include "client/output.h"
#include "common/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MOST_OVERLAPPING 1024         /* probes at once if the user gave no number */
#define MOST_OF_ALL      65536        /* the same for many targets */
#define OWN_DESCRIPTORS  5            /* still to be opened, that are not connections */
#define OUTPUT_SIZE      (128 * 1024) /* so that only flushing writes, and blocks */

/* Each function that prepares something returns 0; or -1, with the reason added. */

static int fail_to_prepare(struct text *reason)
{
    text_addf(reason, "preparing to probe: %s", strerror(errno));
    return -1;
}

/* Returns how many probes may run at once. */
static uint64_t slots_wanted(const struct options *options, size_t targets)
{
    const struct probe_options *probes = &options->probes;
    uint64_t most = probes->parallel;

    if (most == 0) {
        most = options->timeout_usec * 1000 / (uint64_t)probes->interval + 2;
        most = (most < MOST_OVERLAPPING ? most : MOST_OVERLAPPING) * targets;
        most = most < MOST_OF_ALL || targets == 1 ? most : MOST_OF_ALL;
    }
    return probes->count > 0 && probes->count * targets < most ? probes->count * targets : most;
}

static int prepare_schedule(const struct run *run, size_t targets, struct schedule *schedule,
                            struct text *reason)
{
    uint64_t size = slots_wanted(run->options, targets), available = watcher_capacity();

    available -= available < OWN_DESCRIPTORS ? available : OWN_DESCRIPTORS;
    if (size > available && run->options->probes.parallel_given) {
        text_addf(reason,
                  "--parallel: %" PRIu64 " connections at once need as many descriptors, and the "
                  "limit (ulimit -n) leaves %" PRIu64,
                  size, available);
        return -1;
    }
    available = available > 0 ? available : 1;
    if (size > available && !run->options->probes.check) {
        struct text text = OUTPUT_SENTENCE;

        text_addf(&text,
                  "at most %" PRIu64 " probe%s at once instead of %" PRIu64
                  ", because the limit of descriptors (ulimit -n) allows no more",
                  available, explain_plural(available), size);
        output_complain(&text);
    }
    size = size < available ? size : available;
    return schedule_init(schedule, (size_t)size) < 0 ? fail_to_prepare(reason) : 0;
}

static int prepare_targets(struct run *run, struct targets *targets, struct text *reason)
{
    int64_t deadline = run->started + (int64_t)run->options->timeout_usec * CLOCK_USEC;

    return targets_find(targets, run, run->until < deadline ? run->until : deadline, reason);
}

static void begin_run(struct run *run, const struct options *options)
{
    int64_t now = clock_now(), limit = (int64_t)options->probes.deadline_usec * CLOCK_USEC;

    *run = (struct run){
        .options = options,
        .pattern =
            options->input == OPTIONS_MESSAGE ? "the given text" : options->probes.pattern.name,
        .started = now,
        .begun = now,
        .until = limit > 0 ? now + limit : CLOCK_NEVER,
    };
    report_select(run);
}

static int prepare_reports(const struct run *run, struct text *reason)
{
    for (size_t i = 0; run->reports[i]; i++)
        if (run->reports[i]->prepare && run->reports[i]->prepare(run, reason) < 0)
            return -1;
    return 0;
}

static int prepare(struct run *run, struct targets *targets, struct schedule *schedule,
                   struct probe_message *message, struct text *reason)
{
    if (probe_message_make(message, run->options, reason) < 0)
        return -1;
    run->length = message->length;
    (void)watcher_capacity(); /* the resolver needs descriptors, too */
    if (prepare_reports(run, reason) < 0)
        return -1;
    if (watcher_init(&schedule->watcher) < 0)
        return fail_to_prepare(reason);
    if (prepare_targets(run, targets, reason) < 0)
        return -1;
    return targets->count > 0 ? prepare_schedule(run, targets->count, schedule, reason) : 0;
}

int probe_run(const struct options *options)
{
    static char buffer[OUTPUT_SIZE];
    struct text reason = OUTPUT_SENTENCE;
    struct run run;
    struct targets targets = {.list = NULL};
    struct schedule schedule = {.watcher = {-1, -1, -1}};
    struct probe_message message;
    int status;

    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    begin_run(&run, options);
    if (prepare(&run, &targets, &schedule, &message, &reason) < 0)
        status = report_refusal(options, &reason, watcher_ended() ? STATUS_FAILED : STATUS_USAGE);
    else if (options->probes.sweep)
        status = sweep(&run, &schedule, &message);
    else
        status = measure(&run, &targets, &schedule, &message);
    schedule_free(&schedule);
    targets_free(&targets, &run);
    probe_message_free(&message);
    return status;
}
