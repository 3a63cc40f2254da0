/* SPDX-License-Identifier: MIT */
/* The state of a flood in one line of a terminal, which is written again and again. */
#include "client/report/report.h"

#include "client/display.h"
#include "common/clock.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define BAR_WIDTH 20
#define LINE_SIZE 256

static bool shown;

/* Returns the share of the run that is over, by its count or its deadline, whichever is nearer; -1
 * if it has neither. */
static double progress(const struct run *run, int64_t now)
{
    const struct probe_options *options = &run->options->probes;
    const struct tally *tally = &run->probed->tally;
    double by_count = -1, by_time = -1;

    if (options->count > 0)
        by_count = (double)tally_over(tally) / (double)options->count;
    if (options->deadline_usec > 0)
        by_time = (double)(now - run->started) / CLOCK_USEC / (double)options->deadline_usec;
    return fmin(fmax(by_count, by_time), 1);
}

static void add_progress(struct text *text, double share, double elapsed)
{
    uint64_t left = share > 0 ? (uint64_t)(elapsed * (1 - share) / share + 0.5) : 0;

    text_add(text, "  [");
    for (int i = 0; i < BAR_WIDTH; i++)
        text_add(text, i < (int)(share * BAR_WIDTH) ? "#" : ".");
    text_addf(text, "] %d %%", (int)(share * 100));
    if (share > 0)
        text_addf(text, ", %" PRIu64 ":%02" PRIu64 " left", left / 60, left % 60);
}

static void show(struct run *run, int64_t now)
{
    const struct tally *tally = &run->probed->tally;
    double share = progress(run, now);
    char buffer[LINE_SIZE];
    struct text text;

    text_init(&text, buffer, sizeof buffer);
    text_addf(&text, "%.0f/s  echoed %" PRIu64 "  lost %" PRIu64 "  p99 %.3f ms",
              floor(tally_rate(tally, now)), tally->outcomes[OUTCOME_ECHOED], tally_lost(tally),
              report_milliseconds(histogram_quantile(&tally->phases[PHASE_TIME], 0.99)));
    if (share >= 0)
        add_progress(&text, share, (double)(now - tally->begun) / (double)CLOCK_SECOND);
    /* A line that wraps could not be overwritten. */
    fprintf(stderr, "\r%.*s\033[K", (int)display_columns(stderr) - 1, buffer);
    fflush(stderr);
    shown = true;
}

void report_status_line_clear(void)
{
    if (shown)
        fputs("\r\033[K", stderr);
    shown = false;
}

static void clear(struct run *run)
{
    (void)run;
    report_status_line_clear();
}

const struct report report_status_line = {.tick = show, .interim = clear};
