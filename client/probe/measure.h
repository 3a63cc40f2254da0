/* SPDX-License-Identifier: MIT */
/* A run of probes with one message, and its reports. */
#ifndef TINCAN_CLIENT_PROBE_MEASURE_H
#define TINCAN_CLIENT_PROBE_MEASURE_H

#include "client/probe/probe_message.h"
#include "client/probe/schedule.h"
#include "client/report/report.h"

/* What standard output is to have for a buffer, so that only flushing writes to it, and blocks. */
#define MEASURE_BUFFER_SIZE (128 * 1024)

/*
 * Runs the probes that `run->options` ask for, which sums up in `tally`, the one of `run`. Returns
 * the exit status.
 */
int measure(struct schedule *schedule, const struct probe_message *message, struct run *run,
            struct tally *tally);

/*
 * Reports a run that came to nothing as its target has no address, as `why` says: on standard
 * error, in the Prometheus file, and as far as each report goes without probes. Returns the exit
 * status.
 */
int measure_unresolved(struct run *run, struct tally *tally, const struct text *why);

/* Says on standard error that an address failed, and that another follows: for struct target. */
void measure_report_failed_address(const struct roundtrip *roundtrip);

#endif
