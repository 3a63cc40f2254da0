/* SPDX-License-Identifier: MIT */
/* The tables in the summary for people: of durations, or of targets. */
#include "client/report/report.h"
#include "common/clock.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define HALF   500  /* nanoseconds: less is printed as 0.000 */
#define ENOUGH 1000 /* echoes for a percentile of 99.9 */

int report_text_decimals(double milliseconds, int columns)
{
    int decimals = 3;

    while (decimals > 0 && snprintf(NULL, 0, "%.*f", decimals, milliseconds) > columns)
        decimals--;
    return decimals;
}

static void print_cell(double nsec)
{
    double milliseconds = nsec / (double)CLOCK_MSEC;

    printf(" %7.*f", report_text_decimals(milliseconds, 7), milliseconds);
}

/* Prints the values of a phase, of which those in `shares` are percentiles. */
static void print_row(const struct tally *tally, enum phase phase, size_t shares)
{
    const struct histogram *histogram = &tally->phases[phase];
    static const double share[] = {0.5, 0.9, 0.99, 0.999};

    printf("%-10s", phase_word(phase));
    print_cell((double)histogram->least);
    print_cell(histogram->mean);
    print_cell((double)histogram->greatest);
    print_cell(histogram_deviation(histogram));
    for (size_t i = 0; i < shares; i++)
        print_cell((double)histogram_quantile(histogram, share[i]));
    putchar('\n');
}

/* Returns whether the row would say something: neither all 0 nor, of a schedule that was kept, the
 * same as `time`. The kernel's view of `first` is in the other reports only. */
static bool is_telling(const struct run *run, const struct tally *tally, enum phase phase)
{
    const struct histogram *phases = tally->phases;

    if ((phase == PHASE_SINCE_DUE || phase == PHASE_LATE) &&
        (run->options->probes.flood || phases[PHASE_LATE].greatest < CLOCK_MSEC))
        return false;
    return phase != PHASE_RTT && phase != PHASE_SERVER && phases[phase].greatest >= HALF;
}

void report_text_phases(const struct run *run, const struct tally *tally)
{
    size_t shares = tally->phases[PHASE_TIME].count < ENOUGH ? 3 : 4;

    printf("%-10s %7s %7s %7s %7s %7s %7s %7s%s\n", "ms", "min", "avg", "max", "stddev", "p50",
           "p90", "p99", shares == 4 ? "   p99.9" : "");
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++)
        if (is_telling(run, tally, phase))
            print_row(tally, phase, shares);
}

double report_text_loss(const struct tally *tally)
{
    double loss = tally_loss(tally);

    return loss > 0 && loss < 100 ? fmin(fmax(loss, 0.1), 99.9) : loss;
}

/* Prints a row of what one target brought: the counts, the times if there was an echo, and what is
 * wrong with it. */
static void print_target(const struct tally *tally, uint64_t unfinished)
{
    const struct histogram *time = &tally->phases[PHASE_TIME];
    enum outcome worst = tally_worst(tally);

    printf("%6" PRIu64 " %6" PRIu64 " %6" PRIu64, tally_sent(tally),
           tally->outcomes[OUTCOME_ECHOED], tally_lost(tally));
    if (isnan(tally_loss(tally)))
        printf(" %7s", "-");
    else
        printf(" %5.1f %%", report_text_loss(tally));
    if (time->count > 0) {
        print_cell((double)time->least);
        print_cell(time->mean);
        print_cell((double)time->greatest);
    }
    if (worst != OUTCOME_ECHOED)
        printf(" %s", outcome_word(worst));
    if (unfinished > 0)
        printf(" %" PRIu64 " unfinished", unfinished);
    putchar('\n');
}

void report_text_targets(const struct run *run, bool recent)
{
    printf("%-*s %6s %6s %6s %6s %8s %7s %7s\n", run->name_width, "target", "sent", "echoed",
           "lost", "loss", "min", "avg", "max");
    for (size_t i = 0; i < run->count; i++) {
        const struct probed *probed = &run->probed[i];

        report_text_name(run, probed);
        if (recent)
            print_target(&probed->recent, probed->recent.cut_short);
        else
            print_target(&probed->tally, report_unfinished(run, probed));
    }
}
