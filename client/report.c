/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "clock.h"

const char *report_peer(const struct run *run)
{
    return run->target->count == 1 ? run->target->peers->text : run->target->address->text;
}

double report_milliseconds(int64_t nsec)
{
    return (double)nsec / (double)CLOCK_MSEC;
}
