/* SPDX-License-Identifier: MIT */
#include "client/report/status_line.h"

#include "common/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BAR_WIDTH 20
#define LINE_SIZE 256

static bool shown;

static int columns(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* How far it is, from 0 to 1, by its count or its deadline, whichever is nearer; -1 when neither
 * is known. */
static double progress(const struct run *run, uint64_t ended, int64_t now)
{
    const struct probe_options *options = &run->options->probe;
    double by_count = -1, by_time = -1;

    if (options->count > 0)
        by_count = (double)ended / (double)options->count;
    if (options->deadline_usec > 0)
        by_time = (double)(now - run->started) / CLOCK_USEC / (double)options->deadline_usec;
    return by_count > by_time ? by_count : by_time;
}

static void add_progress(struct text *text, double share, double elapsed)
{
    uint64_t left = share > 0 ? (uint64_t)(elapsed * (1 - share) / share + 0.5) : 0;

    text_add(text, "  [");
    for (int i = 0; i < BAR_WIDTH; i++)
        text_add(text, i < (int)(share * BAR_WIDTH) ? "#" : ".");
    text_add(text, "] ");
    text_addf(text, "%" PRIu64, (uint64_t)(uint64_t)(share * 100));
    text_add(text, " %");
    if (share > 0) {
        char time[32];

        (void)snprintf(time, sizeof time, ", %llu:%02llu left", (unsigned long long)left / 60,
                       (unsigned long long)left % 60);
        text_add(text, time);
    }
}

void status_line_show(const struct run *run, int64_t now)
{
    const struct tally *tally = run->tally;
    uint64_t ended = tally_sent(tally) + tally->outcomes[OUTCOME_LOCAL];
    double share = progress(run, ended, now);
    char buffer[LINE_SIZE];
    struct text text;

    if (!isatty(STDERR_FILENO))
        return;
    text_init(&text, buffer, sizeof buffer);
    text_addf(&text, "%" PRIu64, (uint64_t)(uint64_t)tally_rate(tally, now));
    text_add(&text, "/s  echoed ");
    text_addf(&text, "%" PRIu64, (uint64_t)tally->outcomes[OUTCOME_ECHOED]);
    text_add(&text, "  lost ");
    text_addf(&text, "%" PRIu64, (uint64_t)tally_lost(tally));
    (void)snprintf(buffer + text.length, sizeof buffer - text.length, "  p99 %.3f ms",
                   report_milliseconds(histogram_quantile(&tally->phases[PHASE_TIME], 0.99)));
    while (buffer[text.length] != '\0')
        text.length++;
    if (share >= 0)
        add_progress(&text, share < 1 ? share : 1,
                     (double)(now - tally->begun) / (double)CLOCK_SECOND);
    /* A line that wraps could not be written over. */
    fprintf(stderr, "\r%.*s\033[K", columns() - 1, buffer);
    fflush(stderr);
    shown = true;
}

void status_line_clear(void)
{
    if (shown)
        fputs("\r\033[K", stderr);
    shown = false;
}
