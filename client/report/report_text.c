/* SPDX-License-Identifier: MIT */
#include "client/display.h"
#include "client/net/explain.h"
#include "client/report/report.h"
#include "common/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define WIDTH 6   /* of a value: below 100 ms with its decimals */
#define HALF  500 /* nanoseconds: less is printed as 0.000 */

void report_text_string(const char *string)
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
        report_text_string(target->peers[i].text);
    }
    printf(", found in %.3f ms)", report_milliseconds(target->resolve_nsec));
}

static void begin(struct run *run)
{
    if (run->options->quiet || run->target.count == 0)
        return;
    if (run->options->probes.sweep) {
        report_text_begin_sweep(run);
        return;
    }
    fputs("Probing ", stdout);
    report_text_string(run->target.address->text);
    print_found(&run->target);
    printf(" with %zu byte%s of ", run->length, run->length == 1 ? "" : "s");
    report_text_string(run->pattern);
    fputs("; times in ms\n", stdout);
    run->peer = run->target.count == 1 ? 0 : SIZE_MAX; /* no other could be meant */
}

static void print_stamp(const struct run *run)
{
    if (run->options->probes.timestamps)
        printf("[%.3f] ", report_since_1970(clock_now()));
}

/* Prints how a probe's line begins. Its address is that of the line before, unless it is named. */
static void begin_line(struct run *run, const struct roundtrip *roundtrip)
{
    print_stamp(run);
    printf("seq=%-3" PRIu64, roundtrip->sequence);
    if (roundtrip->peer == run->peer)
        return;
    run->peer = roundtrip->peer;
    putchar(' ');
    report_text_string(roundtrip->target->peers[roundtrip->peer].text);
    putchar(':');
}

/* Prints the phases that don't round to 0; the end of the connection also where it did not come. */
static void print_echo(const struct roundtrip *roundtrip)
{
    static const struct {
        enum phase phase;
        const char *label;
        int64_t least;
    } shown[] = {
        {PHASE_TIME, "time", 0},
        {PHASE_OTHERS, "others", 0},
        {PHASE_CONNECT, "connect", HALF},
        {PHASE_FIRST_BYTE, "first", HALF},
        {PHASE_COMPLETE, "complete", HALF},
        {PHASE_CLOSE, "close", HALF},
        {PHASE_LATE, "late", CLOCK_MSEC},
    };
    int padding = 0;
    char buffer[EXPLAIN_SIZE];
    struct text text;

    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        int64_t nsec = phase_of(roundtrip, shown[i].phase);

        if (nsec < 0 && shown[i].phase == PHASE_CLOSE)
            printf("%*s close=-", padding, "");
        if (nsec < shown[i].least)
            continue;
        printf("%*s %s=", padding, "", shown[i].label);
        padding = WIDTH - printf("%.3f", report_milliseconds(nsec));
        padding = padding > 0 ? padding : 0;
    }
    text_init(&text, buffer, sizeof buffer);
    if (explain_counts(&text, roundtrip->tcp.counts))
        printf("  %s", buffer);
    putchar('\n');
}

static void print_roundtrip(struct run *run, const struct roundtrip *roundtrip, const char *why,
                            const char *cause)
{
    (void)cause; /* `why` has it */
    begin_line(run, roundtrip);
    if (!why) {
        print_echo(roundtrip);
        return;
    }
    putchar(' ');
    print_red(why);
    putchar('\n');
}

static void print_overdue(struct run *run, const struct roundtrip *roundtrip)
{
    begin_line(run, roundtrip);
    puts(" no answer yet");
}

/* Prints what are neither echoed nor lost: probes with a wrong echo, or none yet, or not sent. */
static void print_others(const struct tally *tally, uint64_t unfinished)
{
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

static void print_counts(const struct tally *tally, uint64_t unfinished)
{
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
    print_others(tally, unfinished);
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

static void print_outage(const struct outage *outage, bool over)
{
    printf("down %.12g s%s, probe", (double)(outage->ended - outage->begun) / CLOCK_SECOND,
           over ? "" : " so far");
    if (outage->first == outage->last)
        printf(" %" PRIu64 "\n", outage->first);
    else
        printf("s %" PRIu64 " to %" PRIu64 "\n", outage->first, outage->last);
}

/* Prints the outages with the time of day at which they began. */
static void print_outages(const struct tally *tally)
{
    const struct outages *outages = &tally->outages;

    if (outages->count > 0)
        printf("%" PRIu64 " outage%s%s\n", outages->count, outages->count == 1 ? "" : "s",
               outages->count > outages->kept ? ", the last of them:" : ":");
    for (size_t i = 0; i < outages->kept; i++) {
        const struct outage *outage = &outages->list[i];
        time_t begun = (time_t)report_since_1970(outage->begun);
        struct tm local;
        char text[32];

        if (localtime_r(&begun, &local) && strftime(text, sizeof text, "%F %T", &local) > 0)
            printf("%s  ", text);
        print_outage(outage, outage->last < tally->last_echoed);
    }
}

/* Reports outages once it is known how long they were. */
static void tick(struct run *run, int64_t now)
{
    struct outages *outages = &run->tally.outages;

    (void)now;
    for (size_t i = 0; run->each && i < outages->kept; i++) {
        struct outage *outage = &outages->list[i];

        if (outage->reported || outage->last + 1 >= run->oldest)
            continue;
        print_stamp(run);
        print_outage(outage, true);
        outage->reported = true;
    }
}

static void print_recent(struct run *run)
{
    const struct tally *tally = &run->recent;
    const struct histogram *time = &tally->phases[PHASE_TIME];

    print_stamp(run);
    printf("last %.1f s: ", (double)(tally->ended - tally->begun) / CLOCK_SECOND);
    if (time->count > 0)
        printf("min/avg/max %.3f/%.3f/%.3f; ", report_milliseconds(time->least),
               time->mean / (double)CLOCK_MSEC, report_milliseconds(time->greatest));
    print_counts(tally, 0);
}

static void print_summary(struct run *run)
{
    const struct tally *tally = &run->tally;
    int64_t now = tally->ended != 0 ? tally->ended : clock_now();
    char buffer[EXPLAIN_SIZE];
    struct text text;

    text_init(&text, buffer, sizeof buffer);
    fputs("--- ", stdout);
    report_text_string(report_peer(run));
    fputs(" ---\n", stdout);
    print_counts(tally, report_unfinished(run));
    printf("in %.3f s, %.1f echoes a second\n", (double)(now - tally->begun) / (double)CLOCK_SECOND,
           tally_rate(tally, now));
    if (tally->left_open > 0)
        printf("%" PRIu64 " left open: %s\n", tally->left_open, explain_left_open);
    if (explain_counts(&text, tally->counts))
        printf("%s, in %" PRIu64 " probe%s\n", buffer, tally->probes_hit,
               tally->probes_hit == 1 ? "" : "s");
    text_init(&text, buffer, sizeof buffer);
    if (explain_failed_addresses(&text, &run->target)) {
        report_text_string(text.start);
        putchar('\n');
    }
    print_examples(run);
    if (tally->outcomes[OUTCOME_ECHOED] > 0) {
        print_outages(tally);
        report_text_table(run);
    }
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
    .size = report_text_size,
    .verdict = report_text_verdict,
    .overdue = print_overdue,
    .tick = tick,
    .recent = print_recent,
    .interim = print_summary,
    .end = end,
};
