/* SPDX-License-Identifier: MIT */
#include "client/probe/measure.h"

#include "client/net/explain.h"
#include "client/output.h"
#include "client/probe/probe_explain.h"
#include "client/report/prometheus.h"
#include "client/report/status_line.h"
#include "common/clock.h"

#include <limits.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <unistd.h>

#define TICK      (250 * CLOCK_MSEC)
#define FILE_TIME (10 * CLOCK_SECOND) /* between writings of the Prometheus file */

struct measure {
    const struct probe_message *message;
    const struct report *report;
    struct schedule *schedule;
    struct tally *tally;
    struct run *run;
    bool each;        /* the report has something on each probe */
    int64_t file_due; /* clock_now, when to write the Prometheus file next */
    int status;
};

static const struct report *choose_report(const struct probe_options *options)
{
    if (options->check)
        return &report_check;
    return options->json ? &report_json : &report_text;
}

static bool reports_each(const struct report *report, const struct options *options)
{
    return report->probe && !options->quiet && (options->probe.json || !options->probe.flood);
}

/* Keeps what became of the first probe of an outcome. */
static void keep_example(struct tally *tally, const struct roundtrip *roundtrip, const char *why)
{
    struct text text;

    tally->example_sequences[roundtrip->outcome] = roundtrip->sequence;
    text_init(&text, tally->examples[roundtrip->outcome], TALLY_EXAMPLE_SIZE);
    text_add(&text, why);
}

static int on_probe(void *context, const struct roundtrip *roundtrip)
{
    struct measure *measure = context;
    char buffer[EXPLAIN_SIZE];
    const char *why = NULL, *guess = NULL;
    struct text text;
    bool first = measure->tally->outcomes[roundtrip->outcome] == 0;

    tally_add(measure->tally, roundtrip);
    if (roundtrip->outcome != OUTCOME_ECHOED && (first || measure->each)) {
        text_init(&text, buffer, sizeof buffer);
        guess = probe_explain(&text, roundtrip);
        why = buffer;
        if (first)
            keep_example(measure->tally, roundtrip, why);
    }
    if (!measure->each)
        return 0;
    measure->report->probe(measure->run, roundtrip, why, guess);
    /* Up to PIPE_BUF bytes go into a pipe whole or not at all; a part would swallow a signal. */
    if (measure->run->options->probe.flood && __fpending(stdout) < PIPE_BUF / 2)
        return 0;
    return output_flush(&measure->status);
}

void measure_report_failed_address(const struct roundtrip *roundtrip)
{
    char buffer[EXPLAIN_SIZE];
    struct text text;

    text_init(&text, buffer, sizeof buffer);
    explain_roundtrip(&text, roundtrip);
    text_add(&text, "; trying the next address");
    fflush(stdout);
    status_line_clear();
    output_complain(&text);
}

/* Writes the Prometheus file, if there is to be one; after a failure, which is told, never again.
 */
static void write_file(struct measure *measure, int64_t next)
{
    const char *path = measure->run->options->probe.prometheus;

    measure->file_due = next;
    if (!path || prometheus_write(path, measure->run) == 0)
        return;
    status_line_clear();
    prometheus_complain(path);
    outcome_raise(&measure->status, STATUS_USAGE);
    measure->file_due = CLOCK_NEVER;
}

static int on_tick(void *context, int64_t now)
{
    struct measure *measure = context;

    /* Both on one terminal would be in each other's way. */
    if (measure->run->options->probe.flood && !(measure->each && isatty(STDOUT_FILENO)))
        status_line_show(measure->run, now);
    if (now >= measure->file_due)
        write_file(measure, now + FILE_TIME);
    return output_flush(&measure->status);
}

static int on_interim(void *context)
{
    struct measure *measure = context;

    status_line_clear();
    if (measure->report->interim)
        measure->report->interim(measure->run);
    return output_flush(&measure->status);
}

static enum schedule_end run_schedule(struct measure *measure)
{
    const struct schedule_listener listener = {measure, on_probe, on_tick, on_interim};
    const struct options *options = measure->run->options;
    const struct schedule_plan plan = {
        .target = measure->run->target,
        .message = measure->message->bytes,
        .length = measure->message->length,
        .count = options->probe.count,
        .interval = (int64_t)options->probe.interval_usec * CLOCK_USEC,
        .timeout = (int64_t)options->timeout_usec * CLOCK_USEC,
        .until = measure->run->until,
        .tick = TICK,
    };
    enum schedule_end end;

    measure->tally->begun = clock_now();
    measure->file_due = measure->tally->begun + FILE_TIME;
    end = schedule_run(measure->schedule, &plan, &listener);
    measure->tally->ended = clock_now();
    status_line_clear();
    measure->tally->unfinished = measure->schedule->unfinished;
    measure->run->interrupted = end == SCHEDULE_INTERRUPTED;
    return end;
}

/* Ends the file and what is printed, in this order: a plugin's line tells of the file too. */
static void conclude(struct measure *measure, enum schedule_end end)
{
    if (end == SCHEDULE_FAILED) {
        output_complain_string("waiting for events failed");
        outcome_raise(&measure->status, STATUS_USAGE);
    }
    if (end != SCHEDULE_STOPPED) {
        if (measure->file_due != CLOCK_NEVER)
            write_file(measure, CLOCK_NEVER);
        measure->run->faulty = measure->status == STATUS_USAGE;
        measure->report->end(measure->run);
        output_flush(&measure->status);
    }
    measure->run->faulty = measure->status == STATUS_USAGE;
    outcome_raise(&measure->status, report_status(measure->run));
    if (measure->run->options->probe.check)
        measure->status = report_check_status(measure->run);
}

static int check_unresolved(struct measure *measure, const struct text *why)
{
    /* That a name has no address is no fault of the plugin, which is what unknown is for. */
    int status = measure->status == STATUS_USAGE ? REPORT_CHECK_UNKNOWN : REPORT_CHECK_CRITICAL;

    report_check_failure(status, why->start);
    return status;
}

int measure_unresolved(struct run *run, struct tally *tally, const struct text *why)
{
    struct measure measure = {.run = run, .tally = tally};

    tally->outcomes[OUTCOME_UNRESOLVED] = 1;
    tally->begun = run->started;
    tally->ended = clock_now();
    write_file(&measure, CLOCK_NEVER);
    if (run->options->probe.check)
        return check_unresolved(&measure, why);
    output_complain(why);
    if (run->options->probe.json && !run->options->probe.sweep) {
        report_json.begin(run);
        report_json.end(run);
    }
    return STATUS_USAGE;
}

int measure(struct schedule *schedule, const struct probe_message *message, struct run *run,
            struct tally *tally)
{
    struct measure measure = {.schedule = schedule, .message = message, .run = run, .tally = tally};

    measure.report = choose_report(&run->options->probe);
    measure.each = reports_each(measure.report, run->options);
    if (measure.report->begin)
        measure.report->begin(run);
    if (output_flush(&measure.status) == 0)
        conclude(&measure, run_schedule(&measure));
    else
        outcome_raise(&measure.status, STATUS_FAILED);
    return measure.status;
}
