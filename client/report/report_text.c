/* SPDX-License-Identifier: MIT */
#include "client/display.h"
#include "client/output.h"
#include "client/report/report.h"
#include "common/clock.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define WIDTH 6   /* of a value, so that a line of slow phases fits 80 columns */
#define HALF  500 /* nanoseconds: less is printed as 0.000 */

#define MOST_NAME 26 /* columns for the names of targets, so that the lines of most fit 80 */

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

static int name_width(const struct probed *probed)
{
    return display_width(probed->address.text, strlen(probed->address.text));
}

/* Prints a target's name so that what follows is aligned; nothing where there can be one only. */
void report_text_name(const struct run *run, const struct probed *probed)
{
    int blanks = run->name_width - name_width(probed);

    if (!run->options->probes.many)
        return;
    report_text_string(probed->address.text);
    printf("%*s ", blanks > 0 ? blanks : 0, "");
}

static void begin(struct run *run)
{
    struct probed *probed = run->probed;

    for (size_t i = 0; i < run->count; i++) {
        int width = name_width(&probed[i]);

        run->name_width = width > run->name_width ? width : run->name_width;
        probed[i].peer = probed[i].target.count == 1 ? 0 : SIZE_MAX; /* no other could be meant */
    }
    if (run->name_width > MOST_NAME)
        run->name_width = MOST_NAME;
    if (run->options->quiet || (run->count == 1 && probed->target.count == 0))
        return;
    if (run->options->probes.sweep) {
        report_text_begin_sweep(run);
        return;
    }
    fputs("Probing ", stdout);
    if (run->options->probes.many) {
        printf("%zu target%s", run->count, explain_plural(run->count));
    } else {
        report_text_string(probed->address.text);
        print_found(&probed->target);
    }
    printf(" with %zu byte%s of ", run->length, explain_plural(run->length));
    report_text_string(run->pattern);
    fputs("; times in ms\n", stdout);
}

static void print_stamp(const struct run *run)
{
    if (run->options->probes.timestamps)
        printf("[%.3f] ", report_since_1970(clock_now()));
}

/* Prints how a probe's line begins. Its address is that of the line before, unless it is named. */
static void begin_line(const struct run *run, const struct roundtrip *roundtrip)
{
    struct probed *probed = report_probed(roundtrip);

    print_stamp(run);
    report_text_name(run, probed);
    printf("seq=%-3" PRIu64, roundtrip->sequence);
    if (roundtrip->attempt.peer == probed->peer || probed->target.count == 0)
        return;
    probed->peer = roundtrip->attempt.peer;
    putchar(' ');
    report_text_string(roundtrip->target->peers[roundtrip->attempt.peer].text);
    putchar(':');
}

/* Prints the phases that don't round to 0, the last of them only from a millisecond on if the line
 * is crowded; the end of the connection also where it did not come. Of many targets only the time
 * fits.
 */
static void print_echo(const struct run *run, const struct roundtrip *roundtrip)
{
    static const struct {
        enum phase phase;
        const char *label;
        int64_t least, least_crowded;
    } shown[] = {
        {PHASE_TIME, "time", 0, 0},
        {PHASE_OTHERS, "others", 0, 0},
        {PHASE_CONNECT, "connect", HALF, HALF},
        {PHASE_FIRST_BYTE, "first", HALF, HALF},
        {PHASE_COMPLETE, "complete", HALF, CLOCK_MSEC},
        {PHASE_CLOSE, "close", HALF, CLOCK_MSEC},
        {PHASE_LATE, "late", CLOCK_MSEC, CLOCK_MSEC},
    };
    size_t count = run->options->probes.many ? 1 : sizeof shown / sizeof *shown;
    int padding = 0;
    double milliseconds;
    struct text counts = OUTPUT_SENTENCE;
    bool crowded;

    crowded = explain_counts(&counts, "  ", roundtrip->tcp.counts) ||
              run->options->probes.timestamps || roundtrip->race.lost > 0 ||
              phase_of(roundtrip, PHASE_LATE) >= CLOCK_MSEC;
    for (size_t i = 0; i < count; i++) {
        int64_t nsec = phase_of(roundtrip, shown[i].phase);

        if (nsec < 0 && shown[i].phase == PHASE_CLOSE)
            printf("%*s close=-", padding, "");
        if (nsec < (crowded ? shown[i].least_crowded : shown[i].least))
            continue;
        printf("%*s %s=", padding, "", shown[i].label);
        milliseconds = report_milliseconds(nsec);
        padding = WIDTH - printf("%.*f", report_text_decimals(milliseconds, WIDTH), milliseconds);
        padding = padding > 0 ? padding : 0;
    }
    puts(counts.start);
}

/* Returns whether two explanations are the same, but for the time "within 1.5 s". */
static bool is_same(const char *one, const char *other)
{
    static const char word[] = " within ", digits[] = "0123456789.";
    const char *end = strstr(one, word);
    size_t length = end ? (size_t)(end - one) + strlen(word) : 0;

    if (strncmp(one, other, length) != 0)
        return false;
    one += length, other += length;
    return strcmp(one + (end ? strspn(one, digits) : 0),
                  other + (end ? strspn(other, digits) : 0)) == 0;
}

static void print_roundtrip(struct run *run, const struct roundtrip *roundtrip, const char *why,
                            const char *cause)
{
    const struct tally *tally = &report_probed(roundtrip)->tally;
    const char *example = tally->examples[roundtrip->outcome];
    struct text counts = OUTPUT_SENTENCE;

    (void)cause; /* `why` has it */
    begin_line(run, roundtrip);
    if (!why) {
        print_echo(run, roundtrip);
        return;
    }
    /* A reason is given once. */
    if (tally->outcomes[roundtrip->outcome] > 1 && example && is_same(why, example))
        why = outcome_word(roundtrip->outcome);
    putchar(' ');
    print_red(why);
    (void)explain_counts(&counts, "; ", roundtrip->tcp.counts);
    puts(counts.start);
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
    if (isnan(tally_loss(tally)))
        fputs("(-)", stdout);
    else
        printf("(%.1f %%)", report_text_loss(tally));
    for (enum outcome outcome = OUTCOME_ECHOED + 1; outcome < OUTCOME_ALTERED; outcome++) {
        if (tally->outcomes[outcome] == 0 || outcome == OUTCOME_LOCAL)
            continue;
        printf("%s%" PRIu64 " %s", before, tally->outcomes[outcome], outcome_word(outcome));
        before = ", ";
    }
    print_others(tally, unfinished);
}

/* If probes had no line of their own, explains the first of each outcome. */
static void print_examples(const struct run *run, const struct probed *probed)
{
    const struct tally *tally = &probed->tally;

    if (!run->options->quiet && !run->options->probes.flood)
        return;
    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        if (tally->example_sequences[outcome] == 0)
            continue;
        report_text_name(run, probed);
        printf("first at seq=%" PRIu64 ": ", tally->example_sequences[outcome]);
        print_red(tally->examples[outcome] ? tally->examples[outcome] : outcome_word(outcome));
        putchar('\n');
    }
}

static void print_outage(const struct tally *tally, const struct outage *outage)
{
    int64_t now = tally->ended != 0 ? tally->ended : clock_now();
    double seconds = (double)tally_outage_nsec(tally, outage, now) / CLOCK_SECOND;

    printf(tally_is_over(tally, outage) ? "down %.12g s, probe" : "down %.3f s so far, probe",
           seconds);
    if (outage->first == outage->last)
        printf(" %" PRIu64 "\n", outage->first);
    else
        printf("s %" PRIu64 " to %" PRIu64 "\n", outage->first, outage->last);
}

/* Prints the outages with the time of day at which they began. */
static void print_outages(const struct run *run, const struct probed *probed)
{
    const struct outages *outages = &probed->tally.outages;

    if (outages->count > 0) {
        report_text_name(run, probed);
        printf("%" PRIu64 " outage%s%s\n", outages->count, explain_plural(outages->count),
               outages->count > outages->kept ? ", the last of them:" : ":");
    }
    for (size_t i = 0; i < outages->kept; i++) {
        const struct outage *outage = &outages->list[i];
        time_t begun = (time_t)report_since_1970(outage->begun);
        struct tm local;
        char text[32];

        report_text_name(run, probed);
        if (localtime_r(&begun, &local) && strftime(text, sizeof text, "%F %T", &local) > 0)
            printf("%s  ", text);
        print_outage(&probed->tally, outage);
    }
}

/* Reports outages once it is known how long they were. */
static void tick(struct run *run, int64_t now)
{
    (void)now;
    for (size_t i = 0; run->each && i < run->count; i++) {
        struct tally *tally = &run->probed[i].tally;

        for (size_t j = 0; j < tally->outages.kept; j++) {
            struct outage *outage = &tally->outages.list[j];

            if (outage->reported || outage->last + 1 >= run->probed[i].oldest ||
                !tally_is_over(tally, outage))
                continue;
            print_stamp(run);
            report_text_name(run, &run->probed[i]);
            print_outage(tally, outage);
            outage->reported = true;
        }
    }
}

static void print_recent(struct run *run)
{
    const struct tally *tally = &run->probed->recent;
    const struct histogram *time = &tally->phases[PHASE_TIME];

    print_stamp(run);
    printf("last %.1f s:", (double)(tally->ended - tally->begun) / CLOCK_SECOND);
    if (run->options->probes.many) {
        putchar('\n');
        report_text_targets(run, true);
        return;
    }
    putchar(' ');
    if (time->count > 0)
        printf("min/avg/max %.3f/%.3f/%.3f; ", report_milliseconds(time->least),
               time->mean / (double)CLOCK_MSEC, report_milliseconds(time->greatest));
    print_counts(tally, tally->cut_short);
}

/* Prints what there is to say of a target beside its counts. */
static void print_remarks(const struct run *run, const struct probed *probed)
{
    const struct tally *tally = &probed->tally;
    struct text counts = OUTPUT_SENTENCE, failures = OUTPUT_SENTENCE;

    if (tally->left_open > 0) {
        report_text_name(run, probed);
        printf("%" PRIu64 " left open: %s\n", tally->left_open, explain_left_open);
    }
    if (explain_counts(&counts, "", tally->counts)) {
        report_text_name(run, probed);
        printf("%s, in %" PRIu64 " probe%s\n", counts.start, tally->probes_hit,
               explain_plural(tally->probes_hit));
    }
    if (explain_failed_addresses(&failures, &probed->target)) {
        report_text_name(run, probed);
        report_text_string(failures.start);
        putchar('\n');
    }
    print_examples(run, probed);
    if (tally->last_answered > 0)
        print_outages(run, probed);
}

/* Prints the counts of all targets together. */
static void print_sums(const struct run *run)
{
    struct tally sum = {.begun = run->begun, .ended = run->probed->tally.ended};
    int64_t now = sum.ended != 0 ? sum.ended : clock_now();
    uint64_t unfinished = 0;

    for (size_t i = 0; i < run->count; i++) {
        tally_add_outcomes(&sum, &run->probed[i].tally);
        unfinished += report_unfinished(run, &run->probed[i]);
    }
    print_counts(&sum, unfinished);
    printf("in %.3f s, %.1f echoes a second\n", (double)(now - sum.begun) / (double)CLOCK_SECOND,
           tally_rate(&sum, now));
}

static void print_summary(struct run *run)
{
    fputs("--- ", stdout);
    if (run->options->probes.many)
        printf("%zu target%s", run->count, explain_plural(run->count));
    else
        report_text_string(report_peer(run->probed));
    fputs(" ---\n", stdout);
    print_sums(run);
    for (size_t i = 0; i < run->count; i++)
        print_remarks(run, &run->probed[i]);
    if (run->options->probes.many)
        report_text_targets(run, false);
    else if (run->probed->tally.outcomes[OUTCOME_ECHOED] > 0)
        report_text_phases(run, &run->probed->tally);
}

static void end(struct run *run)
{
    if (!run->options->probes.many && run->probed->target.count == 0)
        return;
    print_summary(run);
    if (run->options->probes.histogram)
        histogram_print(&run->probed->tally.phases[PHASE_TIME]);
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
