/* SPDX-License-Identifier: MIT */
#include "client/report/report.h"

#include "client/output.h"
#include "common/clock.h"
#include "common/frame.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

void report_select(struct run *run)
{
    const struct probe_options *options = &run->options->probes;
    size_t count = 0;

    run->each = !options->check && !run->options->quiet && (options->json || !options->flood);
    /* Both on one terminal would write over each other. */
    if (options->flood && isatty(STDERR_FILENO) && !(run->each && isatty(STDOUT_FILENO)))
        run->reports[count++] = &report_status_line;
    /* The file comes before the line of --check, which reports its failure. */
    if (options->prometheus)
        run->reports[count++] = &report_prometheus;
    run->reports[count++] = options->check  ? &report_check
                            : options->json ? &report_json
                                            : &report_text;
    run->reports[count] = NULL;
}

void report_complain(const struct text *sentence)
{
    report_status_line_clear();
    output_complain(sentence);
}

void report_failure(struct run *run, const char *action, int error)
{
    struct text text;

    outcome_raise(&run->status, STATUS_USAGE);
    text_init(&text, run->failure, sizeof run->failure);
    text_addf(&text, "%s: %s", action, strerror(error));
    if (!run->options->probes.check)
        report_complain(&text);
}

int report_refusal(const struct options *options, const struct text *why, int status)
{
    if (options->probes.check)
        return report_check_refusal(why->start);
    output_complain(why);
    return status;
}

struct probed *report_probed(const struct roundtrip *roundtrip)
{
    return (struct probed *)roundtrip->target;
}

const char *report_peer(const struct probed *probed)
{
    return probed->target.count == 1 ? probed->target.peers->text : probed->address.text;
}

uint64_t report_unfinished(const struct run *run, const struct probed *probed)
{
    const struct tally *tally = &probed->tally;
    uint64_t count = run->options->probes.count, over = tally_over(tally);

    return tally->ended != 0 && count > over && !probed->refused ? count - over : tally->cut_short;
}

int report_status(const struct run *run, const struct probed *probed)
{
    const struct tally *tally = &probed->tally;
    int status = tally_status(tally);
    bool short_of =
        tally->ended != 0 && tally->outcomes[OUTCOME_ECHOED] < run->options->probes.count;

    return status == STATUS_ECHOED && short_of ? STATUS_FAILED : status;
}

bool report_is_utf8(const char *string)
{
    struct frame frame;

    frame_init(&frame, SIZE_MAX);
    return frame_feed(&frame, string, strlen(string) + 1) == FRAME_COMPLETE;
}

void report_add_escaped(struct text *text, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] >= 0x20 && bytes[i] < 0x7f)
            text_add_bytes(text, &bytes[i], 1);
        else
            text_addf(text, "\\x%02x", (unsigned char)bytes[i]);
}

const char *report_utf8(const char *string)
{
    static char buffer[4 * EXPLAIN_SIZE];
    struct text text;

    if (report_is_utf8(string))
        return string;
    text_init(&text, buffer, sizeof buffer);
    report_add_escaped(&text, string, strlen(string));
    return buffer;
}

double report_milliseconds(int64_t nsec)
{
    return (double)nsec / (double)CLOCK_MSEC;
}

double report_since_1970(int64_t moment)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)(now.tv_nsec + moment - clock_now()) / (double)CLOCK_SECOND;
}
