/* SPDX-License-Identifier: MIT */
#include "client/report/report.h"

#include "common/clock.h"

const char *report_peer(const struct run *run)
{
    return run->target->count == 1 ? run->target->peers->text : run->target->address->text;
}

uint64_t report_unfinished(const struct run *run)
{
    const struct tally *tally = run->tally;
    uint64_t count = run->options->probe.count, over = 0;

    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++)
        over += tally->outcomes[outcome];
    return tally->ended != 0 && count > over ? count - over : tally->unfinished;
}

int report_status(const struct run *run)
{
    const struct tally *tally = run->tally;
    int status = tally_status(tally);
    bool short_of =
        tally->ended != 0 && tally->outcomes[OUTCOME_ECHOED] < run->options->probe.count;

    return status == STATUS_ECHOED && short_of ? STATUS_FAILED : status;
}

double report_milliseconds(int64_t nsec)
{
    return (double)nsec / (double)CLOCK_MSEC;
}
