/* SPDX-License-Identifier: MIT */
#include "client/display.h"
#include "client/net/explain.h"
#include "client/report/report.h"
#include "common/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WIDTH 6 /* of a value: below 100 ms with its decimals */

/* Prints a label and its value, padded to `width`, so that lines align. */
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

static void print_red(const char *string)
{
    display_red(stdout, string, strlen(string));
}

/* Prints the addresses that a name was resolved to. */
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

static void begin_sweep(const struct run *run)
{
    fputs(run->options->probes.diagnose ? "Diagnosing " : "Sweeping ", stdout);
    print_text(report_peer(run));
    printf(" from %zu to %zu bytes of %s; times in ms\n", run->options->probes.sweep_from,
           run->options->probes.sweep_to, run->pattern);
}

static void begin(struct run *run)
{
    if (run->options->quiet || run->target.count == 0)
        return;
    if (run->options->probes.sweep) {
        begin_sweep(run);
        return;
    }
    fputs("Probing ", stdout);
    print_text(run->target.address->text);
    print_found(&run->target);
    printf(" with %zu byte%s of ", run->length, run->length == 1 ? "" : "s");
    print_text(run->pattern);
    fputs("; times in ms\n", stdout);
}

static void print_echo(const struct run *run, const struct roundtrip *roundtrip)
{
    char buffer[EXPLAIN_SIZE];
    struct text text;

    printf("%zu bytes from ", run->length);
    print_text(roundtrip->target->peers[roundtrip->peer].text);
    printf(": seq=%-3" PRIu64 "", roundtrip->sequence);
    print_value("time", phase_of(roundtrip, PHASE_TIME), WIDTH);
    if (phase_of(roundtrip, PHASE_OTHERS) >= 0)
        print_value("others", phase_of(roundtrip, PHASE_OTHERS), WIDTH);
    print_value("connect", phase_of(roundtrip, PHASE_CONNECT), WIDTH);
    print_value("first", phase_of(roundtrip, PHASE_FIRST_BYTE), WIDTH);
    print_value("complete", phase_of(roundtrip, PHASE_COMPLETE), WIDTH);
    print_value("close", phase_of(roundtrip, PHASE_CLOSE), 0);
    if (phase_of(roundtrip, PHASE_LATE) >= CLOCK_MSEC)
        print_value("late", phase_of(roundtrip, PHASE_LATE), 0);
    text_init(&text, buffer, sizeof buffer);
    if (explain_counts(&text, roundtrip->tcp.counts))
        printf("  %s", buffer);
    putchar('\n');
}

static void print_roundtrip(struct run *run, const struct roundtrip *roundtrip, const char *why,
                            const char *cause)
{
    (void)cause; /* `why` has it */
    if (!why) {
        print_echo(run, roundtrip);
        return;
    }
    fputs(outcome_status(roundtrip->outcome) == STATUS_ALTERED ? "wrong echo from "
                                                               : "no echo from ",
          stdout);
    print_text(roundtrip->target->peers[roundtrip->peer].text);
    printf(": seq=%-3" PRIu64 " ", roundtrip->sequence);
    print_red(why);
    putchar('\n');
}

/* Prints what are neither echoed nor lost: probes with a wrong echo, or none yet, or not sent. */
static void print_others(const struct run *run)
{
    const struct tally *tally = &run->tally;
    uint64_t unfinished = report_unfinished(run);

    if (tally->outcomes[OUTCOME_ALTERED] > 0)
        printf("; %" PRIu64 " altered", tally->outcomes[OUTCOME_ALTERED]);
    if (tally->outcomes[OUTCOME_EXTRA] > 0)
        printf("; %" PRIu64 " with extra bytes", tally->outcomes[OUTCOME_EXTRA]);
    if (unfinished > 0)
        printf("; %" PRIu64 " unfinished", unfinished);
    if (unfinished > tally->cut_short)
        printf(" (%" PRIu64 " not sent)", unfinished - tally->cut_short);
    if (tally->outcomes[OUTCOME_LOCAL] > 0)
        printf("; %" PRIu64 " not sent for a local error", tally->outcomes[OUTCOME_LOCAL]);
    putchar('\n');
}

static void print_counts(const struct run *run)
{
    const struct tally *tally = &run->tally;
    const char *before = ": ";

    printf("%" PRIu64 " sent, %" PRIu64 " echoed, %" PRIu64 " lost ", tally_sent(tally),
           tally->outcomes[OUTCOME_ECHOED], tally_lost(tally));
    if (tally_sent(tally) > tally->cut_short)
        printf("(%.1f %%)", tally_loss(tally));
    else
        fputs("(-)", stdout);
    for (enum outcome outcome = OUTCOME_ECHOED + 1; outcome < OUTCOME_ALTERED; outcome++) {
        if (tally->outcomes[outcome] == 0 || outcome == OUTCOME_LOCAL)
            continue;
        printf("%s%" PRIu64 " %s", before, tally->outcomes[outcome], outcome_word(outcome));
        before = ", ";
    }
    print_others(run);
}

/* If probes had no line of their own, explains the first of each outcome. */
static void print_examples(const struct run *run)
{
    const struct tally *tally = &run->tally;

    if (!run->options->quiet && !run->options->probes.flood)
        return;
    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        if (tally->example_sequences[outcome] == 0)
            continue;
        printf("first at seq=%" PRIu64 ": ", tally->example_sequences[outcome]);
        print_red(tally->examples[outcome]);
        putchar('\n');
    }
}

/* Prints milliseconds in seven columns, with as many decimals as fit. */
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

    printf("%-10s", phase_word(phase));
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

        if (phase == PHASE_RTT || phase == PHASE_SERVER)
            continue;
        if (run->tally.phases[phase].count > 0 && !(of_schedule && run->options->probes.flood))
            print_row(&run->tally, phase);
    }
}

static void print_summary(struct run *run)
{
    const struct tally *tally = &run->tally;
    int64_t now = tally->ended != 0 ? tally->ended : clock_now();
    char buffer[EXPLAIN_SIZE];
    struct text text;

    text_init(&text, buffer, sizeof buffer);
    fputs("--- ", stdout);
    print_text(report_peer(run));
    fputs(" ---\n", stdout);
    print_counts(run);
    printf("in %.3f s, %.1f echoes a second\n", (double)(now - tally->begun) / (double)CLOCK_SECOND,
           tally_rate(tally, now));
    if (tally->left_open > 0)
        printf("%" PRIu64 " left open: %s\n", tally->left_open, explain_left_open);
    if (explain_counts(&text, tally->counts))
        printf("%s, in %" PRIu64 " probe%s\n", buffer, tally->probes_hit,
               tally->probes_hit == 1 ? "" : "s");
    text_init(&text, buffer, sizeof buffer);
    if (explain_failed_addresses(&text, &run->target)) {
        print_text(text.start);
        putchar('\n');
    }
    print_examples(run);
    if (tally->outcomes[OUTCOME_ECHOED] > 0)
        print_table(run);
}

static void print_size(struct run *run, const struct sweep_size *size)
{
    bool echoed = size->outcome == OUTCOME_ECHOED;

    if (run->options->quiet)
        return;
    if (size->pattern)
        printf("%16s  ", size->pattern);
    else
        printf("%10zu bytes  ", size->size);
    if (echoed)
        printf("echoed  time=%.3f", report_milliseconds(size->time));
    else
        fputs(outcome_word(size->outcome), stdout);
    if (size->tries > 1)
        printf(echoed ? "  (at try %u)" : "  (%u tries)", size->tries);
    if (size->cause)
        printf("  %s", size->cause);
    putchar('\n');
}

static void print_bounds(const struct sweep_verdict *verdict)
{
    const char *word = outcome_word(verdict->fails.outcome);

    if (verdict->any_works && verdict->any_fails)
        printf("the largest that works: %zu bytes; the smallest that fails: %zu bytes (%s)\n",
               verdict->works, verdict->fails.size, word);
    else if (verdict->any_works && verdict->unfinished)
        printf("the largest that works: %zu bytes\n", verdict->works);
    else if (verdict->any_works)
        printf("nothing fails up to %zu bytes\n", verdict->works);
    else if (verdict->any_fails)
        printf("nothing works, not even %zu bytes (%s)\n", verdict->fails.size, word);
}

static void print_verdict(struct run *run, const struct sweep_verdict *verdict)
{
    if (run->target.count == 0)
        return;
    fputs("--- ", stdout);
    print_text(report_peer(run));
    fputs(verdict->unfinished ? " --- (not finished)\n" : " ---\n", stdout);
    if (verdict->diagnosis[0] != '\0') {
        print_text(verdict->diagnosis);
        putchar('\n');
        return;
    }
    print_bounds(verdict);
    if (verdict->any_fails) {
        print_text(verdict->fails.why);
        putchar('\n');
    }
    if (verdict->last.never_connected) {
        printf("could not connect at %zu bytes: nothing is known of this size\n",
               verdict->last.size);
        print_text(verdict->last.why);
        putchar('\n');
    }
    if (verdict->hint)
        puts(verdict->hint);
}

static void end(struct run *run)
{
    if (run->target.count == 0)
        return;
    print_summary(run);
    if (run->options->probes.histogram)
        histogram_print(&run->tally.phases[PHASE_TIME]);
}

const struct report report_text = {
    .begin = begin,
    .roundtrip = print_roundtrip,
    .size = print_size,
    .verdict = print_verdict,
    .interim = print_summary,
    .end = end,
};
