/* SPDX-License-Identifier: MIT */
/* What the report for people says of a sweep. */
#include "client/output.h"
#include "client/report/report.h"

#include <stdio.h>

void report_text_begin_sweep(const struct run *run)
{
    fputs(run->options->probes.diagnose ? "Diagnosing " : "Sweeping ", stdout);
    report_text_string(report_peer(run->probed));
    printf(" from %zu to %zu bytes of ", run->options->probes.sweep_from,
           run->options->probes.sweep_to);
    report_text_string(run->pattern);
    fputs("; times in ms\n", stdout);
}

void report_text_size(struct run *run, const struct sweep_size *size)
{
    bool echoed = size->outcome == OUTCOME_ECHOED;

    if (run->options->quiet)
        return;
    if (size->pattern)
        printf("%16s  ", size->pattern);
    else
        printf("%10zu byte%-2s ", size->size, explain_plural(size->size));
    if (echoed)
        printf("echoed  time=%.3f", report_milliseconds(size->time));
    else
        fputs(outcome_word(size->outcome), stdout);
    if (size->tries > 1)
        printf(echoed ? "  (at try %u" : "  (%u tries", size->tries);
    if (size->altered > 0 && size->altered < size->tries)
        printf("; %u altered", size->altered);
    fputs(size->tries > 1 ? ")" : "", stdout);
    if (size->cause)
        printf("  %s", size->cause);
    putchar('\n');
}

static void print_bounds(const struct sweep_verdict *verdict)
{
    const char *word = outcome_word(verdict->fails.outcome);
    bool any = verdict->any_works || verdict->any_fails;
    bool altered = verdict->altered > verdict->always_altered;

    if (verdict->any_works && verdict->any_fails)
        printf("the largest that works: %zu byte%s; the smallest that fails: %zu byte%s (%s)",
               verdict->works, explain_plural(verdict->works), verdict->fails.size,
               explain_plural(verdict->fails.size), word);
    else if (verdict->any_works && verdict->unfinished)
        printf("the largest that works: %zu byte%s", verdict->works,
               explain_plural(verdict->works));
    else if (verdict->any_works)
        printf("nothing fails up to %zu byte%s", verdict->works, explain_plural(verdict->works));
    else if (verdict->any_fails)
        printf("nothing works, not even %zu byte%s (%s)", verdict->fails.size,
               explain_plural(verdict->fails.size), word);
    if (altered)
        printf("%s%u of %u tries came back altered", any ? "; " : "", verdict->altered,
               verdict->tries);
    if (any || altered)
        putchar('\n');
}

static void print_line(const char *string)
{
    report_text_string(string);
    putchar('\n');
}

static void print_findings(const struct sweep_verdict *verdict)
{
    print_bounds(verdict);
    if (verdict->any_fails)
        print_line(verdict->fails.why);
    if (verdict->last.never_connected) {
        printf("could not connect at %zu byte%s: nothing is known of this size\n",
               verdict->last.size, explain_plural(verdict->last.size));
        print_line(verdict->last.why);
    }
    if (verdict->hint)
        puts(verdict->hint);
}

void report_text_verdict(struct run *run, const struct sweep_verdict *verdict)
{
    struct text failures = OUTPUT_SENTENCE;

    if (run->probed->target.count == 0)
        return;
    fputs("--- ", stdout);
    report_text_string(report_peer(run->probed));
    fputs(verdict->unfinished ? " --- (not finished)\n" : " ---\n", stdout);
    if (verdict->diagnosis[0] != '\0')
        print_line(verdict->diagnosis);
    else
        print_findings(verdict);
    if (explain_failed_addresses(&failures, &run->probed->target))
        print_line(failures.start);
}
