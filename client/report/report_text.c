/* SPDX-License-Identifier: MIT */
#include "client/display.h"
#include "client/net/explain.h"
#include "client/report/draw.h"
#include "client/report/report.h"
#include "common/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WIDTH 6 /* of a value: below 100 ms with its decimals */

/* A label and its value, filled up to `width` so that lines stand in columns. */
static void print_value(const char *label, int64_t nsec, int width)
{
    if (nsec < 0)
        printf(" %s=%-*s", label, width, "-");
    else
        printf(" %s=%-*.3f", label, width, report_milliseconds(nsec));
}

static void print_text(const char *string)
{
    display(stdout, string, strlen(string), false);
}

static bool in_colour(void)
{
    static int colour = -1;

    if (colour < 0) {
        const char *without = getenv("NO_COLOR"), *terminal = getenv("TERM");

        colour = isatty(STDOUT_FILENO) == 1 && !(without && *without) &&
                 !(terminal && strcmp(terminal, "dumb") == 0);
    }
    return colour != 0;
}

static void print_red(const char *string)
{
    if (in_colour())
        fputs("\033[31m", stdout);
    print_text(string);
    if (in_colour())
        fputs("\033[0m", stdout);
}

/* The addresses that a name was found to have. */
static void print_found(const struct target *target)
{
    if (target->count == 1 && strcmp(target->peers->text, target->address->text) == 0)
        return;
    for (size_t i = 0; i < target->count; i++) {
        fputs(i == 0 ? " (" : ", ", stdout);
        print_text(target->peers[i].text);
    }
    printf(", found in %.3f ms)", report_milliseconds(target->resolve_nsec));
}

static void begin(const struct run *run)
{
    const struct target *target = run->target;

    if (run->options->quiet)
        return;
    fputs("Probing ", stdout);
    print_text(target->address->text);
    print_found(target);
    printf(" with %zu byte%s of ", run->length, run->length == 1 ? "" : "s");
    print_text(run->pattern);
    fputs("; times in ms\n", stdout);
}

static void print_echo(const struct run *run, const struct roundtrip *roundtrip)
{
    printf("%zu bytes from ", run->length);
    print_text(roundtrip->target->peers[roundtrip->peer].text);
    printf(": seq=%-3llu", (unsigned long long)roundtrip->sequence);
    print_value("time", phase_of(roundtrip, PHASE_TIME), WIDTH);
    print_value("connect", phase_of(roundtrip, PHASE_CONNECT), WIDTH);
    print_value("first", phase_of(roundtrip, PHASE_FIRST_BYTE), WIDTH);
    print_value("complete", phase_of(roundtrip, PHASE_COMPLETE), WIDTH);
    print_value("close", phase_of(roundtrip, PHASE_CLOSE), 0);
    if (phase_of(roundtrip, PHASE_LATE) >= CLOCK_MSEC)
        print_value("late", phase_of(roundtrip, PHASE_LATE), 0);
    putchar('\n');
}

static void probe(const struct run *run, const struct roundtrip *roundtrip, const char *why,
                  const char *guess)
{
    (void)guess; /* it is in the sentence */
    if (!why) {
        print_echo(run, roundtrip);
        return;
    }
    fputs("no echo from ", stdout);
    print_text(roundtrip->target->peers[roundtrip->peer].text);
    printf(": seq=%-3llu ", (unsigned long long)roundtrip->sequence);
    print_red(why);
    putchar('\n');
}

static void print_counts(const struct run *run)
{
    const struct tally *tally = run->tally;
    const char *before = ": ";

    printf("%llu sent, %llu echoed, %llu lost ", (unsigned long long)tally_sent(tally),
           (unsigned long long)tally->outcomes[OUTCOME_ECHOED],
           (unsigned long long)tally_lost(tally));
    if (tally_sent(tally) > tally->unfinished)
        printf("(%.1f %%)", tally_loss(tally));
    else
        fputs("(-)", stdout);
    for (enum outcome outcome = OUTCOME_ECHOED + 1; outcome < OUTCOME_COUNT; outcome++) {
        if (tally->outcomes[outcome] == 0 || outcome == OUTCOME_LOCAL)
            continue;
        printf("%s%llu %s", before, (unsigned long long)tally->outcomes[outcome],
               outcome_word(outcome));
        before = ", ";
    }
    if (tally->unfinished > 0)
        printf("; %llu unfinished", (unsigned long long)tally->unfinished);
    if (tally->outcomes[OUTCOME_LOCAL] > 0)
        printf("; %llu not sent for a local error",
               (unsigned long long)tally->outcomes[OUTCOME_LOCAL]);
    putchar('\n');
}

/* Where the probes had no line of their own, what became of the first of each kind. */
static void print_examples(const struct run *run)
{
    const struct tally *tally = run->tally;

    if (!run->options->quiet && !run->options->probe.flood)
        return;
    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        if (tally->example_sequences[outcome] == 0)
            continue;
        printf("first at seq=%llu: ", (unsigned long long)tally->example_sequences[outcome]);
        print_red(tally->examples[outcome]);
        putchar('\n');
    }
}

/* Milliseconds in seven columns, with as many decimals as they leave room for. */
static void print_cell(double nsec)
{
    double milliseconds = nsec / (double)CLOCK_MSEC;
    int decimals = milliseconds < 999.9995 ? 3 : milliseconds < 9999.995 ? 2 : 1;

    printf(" %7.*f", milliseconds < 99999.95 ? decimals : 0, milliseconds);
}

static void print_row(const struct tally *tally, enum phase phase)
{
    const struct histogram *histogram = &tally->phases[phase];
    static const double shares[] = {0.5, 0.9, 0.99, 0.999};

    printf("%-10s", phase_label(phase));
    print_cell((double)histogram->least);
    print_cell(histogram->mean);
    print_cell((double)histogram->greatest);
    print_cell(histogram_deviation(histogram));
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
        print_cell((double)histogram_quantile(histogram, shares[i]));
    putchar('\n');
}

static void print_table(const struct run *run)
{
    printf("%-10s %7s %7s %7s %7s %7s %7s %7s %7s\n", "ms", "min", "avg", "max", "stddev", "p50",
           "p90", "p99", "p99.9");
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++) {
        bool of_schedule = phase == PHASE_SINCE_DUE || phase == PHASE_LATE;

        if (run->tally->phases[phase].count > 0 && !(of_schedule && run->options->probe.flood))
            print_row(run->tally, phase);
    }
}

static void print_summary(const struct run *run)
{
    const struct tally *tally = run->tally;
    int64_t now = tally->ended != 0 ? tally->ended : clock_now();

    fputs("--- ", stdout);
    print_text(report_peer(run));
    fputs(" ---\n", stdout);
    print_counts(run);
    printf("in %.3f s, %.1f echoes a second\n", (double)(now - tally->begun) / (double)CLOCK_SECOND,
           tally_rate(tally, now));
    if (tally->left_open > 0)
        printf("%llu left open: %s\n", (unsigned long long)tally->left_open, explain_left_open);
    print_examples(run);
    if (tally->outcomes[OUTCOME_ECHOED] > 0)
        print_table(run);
}

static void interim(const struct run *run)
{
    print_summary(run);
}

static void end(const struct run *run)
{
    print_summary(run);
    if (run->options->probe.histogram)
        draw_histogram(&run->tally->phases[PHASE_TIME]);
}

const struct report report_text = {begin, probe, interim, end};
