/* SPDX-License-Identifier: MIT */
#include "client/report/report.h"
#include "client/report/textfile.h"
#include "common/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define INTERVAL    (10 * CLOCK_SECOND) /* between writings */
#define SERIES_SIZE 2048                /* of a name and its labels */

static struct textfile textfile;
static int64_t due; /* clock_now, when to write next; CLOCK_NEVER after a failure, 0 at first */

/* Adds a label. In its value three characters are escaped; what is not UTF-8 becomes U+FFFD. */
static void add_label(struct text *series, const char *name, const char *value)
{
    bool utf8 = report_is_utf8(value);

    text_addf(series, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            text_addf(series, "\\%c", *value);
        else if (*value == '\n')
            text_add(series, "\\n");
        else if ((unsigned char)*value >= 0x80 && !utf8)
            text_add(series, "\xef\xbf\xbd");
        else
            text_add_bytes(series, value, 1);
    }
    text_add(series, "\"");
}

static void describe(FILE *stream, const char *name, const char *type, const char *help)
{
    fprintf(stream, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/*
 * Prints a value of the target. `labels` are names and values in turn, then NULL. Counters go on
 * from the file's former values, as a timer starts this program again and again.
 */
static void print_value(FILE *stream, const struct run *run, const char *name,
                        const char *const labels[], bool counter, double value)
{
    char buffer[SERIES_SIZE];
    struct text series;

    text_init(&series, buffer, sizeof buffer);
    text_addf(&series, "%s{", name);
    add_label(&series, "target", run->target.address->text);
    for (; labels[0]; labels += 2) {
        text_add(&series, ",");
        add_label(&series, labels[0], labels[1]);
    }
    text_add(&series, "}");
    if (counter)
        value += textfile_old_value(&textfile, buffer);
    fprintf(stream, "%s %.15g\n", buffer, value);
}

/* Prints a metric that has one value for the target. */
static void print_gauge(FILE *stream, const struct run *run, const char *name, const char *help,
                        double value)
{
    static const char *const none[] = {NULL};

    describe(stream, name, "gauge", help);
    print_value(stream, run, name, none, false, value);
}

static void print_outcomes(FILE *stream, const struct run *run)
{
    describe(stream, "tincan_probes_total", "counter", "Probes by outcome, of all runs.");
    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        const char *labels[] = {"outcome", outcome_label(outcome), NULL};

        print_value(stream, run, "tincan_probes_total", labels, true,
                    (double)run->tally.outcomes[outcome]);
    }
}

static void print_counts(FILE *stream, const struct run *run)
{
    static const char *const none[] = {NULL};

    describe(stream, "tincan_segments_total", "counter",
             "TCP segments, of all runs, that were sent again or came out of order.");
    for (enum tcp_count i = 0; i < TCP_COUNTS; i++) {
        const char *labels[] = {"kind", tally_count_label(i), NULL};

        print_value(stream, run, "tincan_segments_total", labels, true,
                    (double)run->tally.counts[i]);
    }
    describe(stream, "tincan_probes_hit_total", "counter", "Probes, of all runs, that had such.");
    print_value(stream, run, "tincan_probes_hit_total", none, true, (double)run->tally.probes_hit);
}

static void print_failed_addresses(FILE *stream, const struct run *run)
{
    const struct target *target = &run->target;

    describe(stream, "tincan_address_failures_total", "counter",
             "Probes, of all runs, for which an address failed that had another beside it.");
    for (size_t i = 0; i < target->count; i++) {
        const char *labels[] = {"address", target->peers[i].text, NULL};

        print_value(stream, run, "tincan_address_failures_total", labels, true,
                    (double)target->peers[i].failures);
    }
}

static void print_bucket(FILE *stream, const struct run *run, enum phase phase, const char *bound,
                         uint64_t count)
{
    const char *labels[] = {"phase", phase_label(phase), "le", bound, NULL};

    print_value(stream, run, "tincan_probe_duration_seconds_bucket", labels, true, (double)count);
}

static void print_phase(FILE *stream, const struct run *run, enum phase phase)
{
    static const int64_t tenths[] = {10, 25, 50};
    const struct histogram *histogram = &run->tally.phases[phase];
    const char *labels[] = {"phase", phase_label(phase), NULL};

    /* From 10 us to 5 s. */
    for (int64_t decade = 10 * CLOCK_USEC; decade < 10 * CLOCK_SECOND; decade *= 10)
        for (size_t i = 0; i < sizeof tenths / sizeof *tenths; i++) {
            int64_t nsec = decade / 10 * tenths[i];
            char bound[32];

            (void)snprintf(bound, sizeof bound, "%.9g", (double)nsec / (double)CLOCK_SECOND);
            print_bucket(stream, run, phase, bound, histogram_count_to(histogram, nsec));
        }
    print_bucket(stream, run, phase, "+Inf", histogram->count);
    print_value(stream, run, "tincan_probe_duration_seconds_sum", labels, true,
                histogram->sum / (double)CLOCK_SECOND);
    print_value(stream, run, "tincan_probe_duration_seconds_count", labels, true,
                (double)histogram->count);
}

static void print_all(FILE *stream, void *context)
{
    const struct run *run = context;
    const struct tally *tally = &run->tally;
    int64_t now = clock_now();

    print_gauge(stream, run, "tincan_success",
                "Whether there were echoes, no failures, and at the end none missing.",
                report_status(run) == STATUS_ECHOED);
    print_gauge(stream, run, "tincan_probes_unfinished",
                "Probes that were running, or had not started, when the run ended.",
                (double)report_unfinished(run));
    print_gauge(stream, run, "tincan_resolve_seconds",
                "How long it took to find the addresses of the target.",
                (double)run->target.resolve_nsec / (double)CLOCK_SECOND);
    print_gauge(stream, run, "tincan_run_seconds", "How long this run has taken.",
                (double)(now - tally->begun) / (double)CLOCK_SECOND);
    print_gauge(stream, run, "tincan_written_timestamp_seconds", "When this was written.",
                report_since_1970(now));
    print_outcomes(stream, run);
    print_counts(stream, run);
    print_failed_addresses(stream, run);
    describe(stream, "tincan_probe_duration_seconds", "histogram",
             "Durations of the phases of probes that were echoed; late: of all probes.");
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++)
        print_phase(stream, run, phase);
}

static int prepare(const struct run *run, struct text *reason)
{
    const char *path = run->options->probes.prometheus;

    if (textfile_open(&textfile, path) == 0)
        return 0;
    text_addf(reason, "writing '%s': %s", path, strerror(errno));
    return -1;
}

static void write_file(struct run *run)
{
    char buffer[EXPLAIN_SIZE];
    struct text text;

    /* While probes are running, nothing waits for a disk. */
    if (due == CLOCK_NEVER || textfile_write(&textfile, print_all, run, run->tally.ended != 0) == 0)
        return;
    due = CLOCK_NEVER;
    outcome_raise(&run->status, STATUS_USAGE);
    text_init(&text, buffer, sizeof buffer);
    text_addf(&text, "writing '%s': %s", run->options->probes.prometheus, strerror(errno));
    report_complain(&text);
}

static void tick(struct run *run, int64_t now)
{
    if (due == 0)
        due = run->tally.begun + INTERVAL;
    if (now < due)
        return;
    due = now + INTERVAL;
    write_file(run);
}

const struct report report_prometheus = {.prepare = prepare, .tick = tick, .end = write_file};
