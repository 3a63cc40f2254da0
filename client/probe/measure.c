/* SPDX-License-Identifier: MIT */
/* Probes with one message, on a schedule or as a flood, and their reports. */
#include "client/net/explain.h"
#include "client/output.h"
#include "client/probe/probe.h"
#include "common/clock.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdio_ext.h>

#define OVERDUE_TIME CLOCK_SECOND
#define MANY_TARGETS 100 /* with more, histograms are coarse */

static int on_roundtrip(void *context, const struct roundtrip *roundtrip)
{
    struct run *run = context;
    struct probed *probed = report_probed(roundtrip);
    const char *why = NULL, *cause = NULL;
    bool first = probed->tally.outcomes[roundtrip->outcome] == 0;
    char buffer[EXPLAIN_SIZE];
    struct text text;

    if (roundtrip->outcome != OUTCOME_ECHOED && (first || run->each)) {
        text_init(&text, buffer, sizeof buffer);
        cause = explain_outcome(&text, roundtrip);
        why = buffer;
    }
    tally_add(&probed->tally, roundtrip, why);
    if (run->options->probes.report_every_usec > 0)
        tally_add(&probed->recent, roundtrip, why);
    if (outcome_is_loss(roundtrip->outcome) && !run->options->probes.flood)
        outages_add(&probed->tally.outages, roundtrip->sequence, roundtrip->due,
                    roundtrip->due + run->options->probes.interval);
    if (!run->each)
        return 0;
    REPORT(run, roundtrip, roundtrip, why, cause);
    /* A pipe takes up to PIPE_BUF bytes whole or not at all; a partial write would hide a signal.
     */
    if (run->options->probes.flood && __fpending(stdout) < PIPE_BUF / 2)
        return 0;
    return output_flush(&run->status);
}

static void on_cut_short(void *context, const struct roundtrip *roundtrip)
{
    (void)context;
    report_probed(roundtrip)->tally.cut_short++;
}

static void on_running(void *context, struct roundtrip *roundtrip, int64_t now)
{
    struct run *run = context;
    struct probed *probed = report_probed(roundtrip);

    probed->running++;
    if (roundtrip->sequence < probed->oldest)
        probed->oldest = roundtrip->sequence;
    if (!run->each || roundtrip->overdue || roundtrip->state == ROUNDTRIP_CLOSING ||
        now - roundtrip->begun < OVERDUE_TIME)
        return;
    REPORT(run, overdue, roundtrip);
    roundtrip->overdue = true;
}

/* Returns the precision of the histograms, of which each target has ten. */
static unsigned precision(const struct run *run)
{
    return run->count > MANY_TARGETS ? HISTOGRAM_COARSE : HISTOGRAM_FINE;
}

/* Reports the stretch of time that is over, and begins the next. */
static void report_recent(struct run *run, int64_t now)
{
    int64_t every = (int64_t)run->options->probes.report_every_usec * CLOCK_USEC;
    int64_t begun = run->probed->recent.begun;

    if (every == 0 || now < begun + every)
        return;
    for (size_t i = 0; i < run->count; i++) {
        run->probed[i].recent.ended = now;
        run->probed[i].recent.cut_short = run->probed[i].running;
    }
    REPORT(run, recent);
    for (size_t i = 0; i < run->count; i++) {
        tally_reset(&run->probed[i].recent);
        /* Ticks may be late. */
        tally_begin(&run->probed[i].recent, now - (now - begun) % every, precision(run));
    }
}

/* Undoes what on_running() counted, and what came of it. */
static void forget_running(struct run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        run->probed[i].oldest = UINT64_MAX;
        run->probed[i].running = 0;
        run->probed[i].tally.cut_short = 0;
    }
}

static int on_tick(void *context, int64_t now, uint64_t begun)
{
    struct run *run = context;

    for (size_t i = 0; i < run->count; i++)
        if (run->probed[i].oldest > begun)
            run->probed[i].oldest = begun + 1;
    REPORT(run, tick, now);
    report_recent(run, now);
    forget_running(run);
    return output_flush(&run->status);
}

static int on_interim(void *context)
{
    struct run *run = context;

    for (size_t i = 0; i < run->count; i++)
        run->probed[i].tally.cut_short = run->probed[i].running;
    REPORT(run, interim);
    forget_running(run);
    return output_flush(&run->status);
}

static enum schedule_end run_schedule(struct run *run, const struct targets *targets,
                                      struct schedule *schedule,
                                      const struct probe_message *message)
{
    const struct options *options = run->options;
    const struct schedule_plan plan = {
        .targets = targets->list,
        .target_count = targets->count,
        .message = message->bytes,
        .length = message->length,
        .count = options->probes.count,
        .interval = options->probes.interval,
        .timeout = (int64_t)options->timeout_usec * CLOCK_USEC,
        .until = run->until,
        .context = run,
        .roundtrip = on_roundtrip,
        .running = on_running,
        .cut_short = on_cut_short,
        .tick = on_tick,
        .interim = on_interim,
    };
    enum schedule_end end = schedule_run(schedule, &plan);

    if (end == SCHEDULE_FAILED)
        report_failure(run, "waiting for events", errno);
    report_status_line_clear();
    run->interrupted = end == SCHEDULE_INTERRUPTED;
    run->failed = end == SCHEDULE_FAILED;
    return end;
}

static int exit_status(const struct run *run)
{
    int status = run->status;

    if (run->options->probes.check)
        return report_check_status(run);
    for (size_t i = 0; i < run->count; i++)
        outcome_raise(&status, report_status(run, &run->probed[i]));
    return status;
}

int measure(struct run *run, const struct targets *targets, struct schedule *schedule,
            const struct probe_message *message)
{
    enum schedule_end end = SCHEDULE_DONE;

    REPORT(run, begin);
    if (output_flush(&run->status) < 0) {
        outcome_raise(&run->status, STATUS_FAILED);
        return run->status;
    }
    run->begun = clock_now();
    for (size_t i = 0; i < run->count; i++) {
        tally_begin(&run->probed[i].tally, run->begun, precision(run));
        if (run->options->probes.report_every_usec > 0)
            tally_begin(&run->probed[i].recent, run->begun, precision(run));
    }
    if (targets->count > 0)
        end = run_schedule(run, targets, schedule, message);
    for (size_t i = 0; i < run->count; i++)
        run->probed[i].tally.ended = clock_now();
    if (end != SCHEDULE_STOPPED) {
        REPORT(run, end);
        output_flush(&run->status);
    }
    return exit_status(run);
}
