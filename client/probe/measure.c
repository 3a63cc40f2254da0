/* SPDX-License-Identifier: MIT */
#include "client/probe/measure.h"

#include "client/net/explain.h"
#include "client/output.h"
#include "common/clock.h"

#include <limits.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>

#define TICK (250 * CLOCK_MSEC)

static int on_roundtrip(void *context, const struct roundtrip *roundtrip)
{
    struct run *run = context;
    const char *why = NULL, *cause = NULL;
    bool first = run->tally.outcomes[roundtrip->outcome] == 0;
    char buffer[EXPLAIN_SIZE];
    struct text text;

    if (roundtrip->outcome != OUTCOME_ECHOED && (first || run->each)) {
        text_init(&text, buffer, sizeof buffer);
        cause = explain_outcome(&text, roundtrip);
        why = buffer;
    }
    tally_add(&run->tally, roundtrip, why);
    if (run->options->probes.report_every_usec > 0)
        tally_add(&run->recent, roundtrip, why);
    if (outcome_status(roundtrip->outcome) == STATUS_FAILED && !run->options->probes.flood)
        outages_add(&run->tally.outages, roundtrip->sequence, roundtrip->due,
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

static void on_overdue(void *context, const struct roundtrip *roundtrip)
{
    struct run *run = context;

    if (run->each)
        REPORT(run, overdue, roundtrip);
}

static int on_tick(void *context, int64_t now, uint64_t oldest)
{
    struct run *run = context;
    int64_t every = (int64_t)run->options->probes.report_every_usec * CLOCK_USEC;

    run->oldest = oldest;
    REPORT(run, tick, now);
    if (every > 0 && now >= run->recent.begun + every) {
        int64_t begun = now - (now - run->recent.begun) % every; /* ticks may be late */

        run->recent.ended = now;
        REPORT(run, recent);
        memset(&run->recent, 0, sizeof run->recent);
        run->recent.begun = begun;
    }
    return output_flush(&run->status);
}

static int on_interim(void *context)
{
    struct run *run = context;

    REPORT(run, interim);
    return output_flush(&run->status);
}

static enum schedule_end run_schedule(struct run *run, struct schedule *schedule,
                                      const struct probe_message *message)
{
    const struct schedule_listener listener = {run, on_roundtrip, on_overdue, on_tick, on_interim};
    const struct options *options = run->options;
    const struct schedule_plan plan = {
        .target = &run->target,
        .message = message->bytes,
        .length = message->length,
        .count = options->probes.count,
        .interval = options->probes.interval,
        .timeout = (int64_t)options->timeout_usec * CLOCK_USEC,
        .until = run->until,
        .tick = TICK,
    };
    enum schedule_end end;

    run->tally.begun = run->recent.begun = clock_now();
    end = schedule_run(schedule, &plan, &listener);
    report_status_line_clear();
    run->tally.cut_short = schedule->unfinished;
    run->interrupted = end == SCHEDULE_INTERRUPTED;
    return end;
}

static int exit_status(const struct run *run)
{
    int status = report_status(run);

    if (run->options->probes.check)
        return report_check_status(run);
    outcome_raise(&status, run->status);
    return status;
}

int measure(struct run *run, struct schedule *schedule, const struct probe_message *message)
{
    enum schedule_end end = SCHEDULE_DONE;

    REPORT(run, begin);
    if (output_flush(&run->status) < 0) {
        outcome_raise(&run->status, STATUS_FAILED);
        return run->status;
    }
    if (run->target.count > 0)
        end = run_schedule(run, schedule, message);
    run->tally.ended = clock_now();
    if (end == SCHEDULE_FAILED) {
        output_complain_string("waiting for events failed");
        outcome_raise(&run->status, STATUS_USAGE);
    }
    if (end != SCHEDULE_STOPPED) {
        REPORT(run, end);
        output_flush(&run->status);
    }
    return exit_status(run);
}
