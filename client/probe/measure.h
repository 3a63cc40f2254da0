/* SPDX-License-Identifier: MIT */
/* Probes with one message, on a schedule or as a flood, and their reports. */
#ifndef TINCAN_CLIENT_PROBE_MEASURE_H
#define TINCAN_CLIENT_PROBE_MEASURE_H

#include "client/probe/probe_message.h"
#include "client/probe/schedule.h"
#include "client/probe/targets.h"

/*
 * Runs the probes that `run->options` ask for; none if no target has an address. Standard output
 * must have a buffer of at least 2 * PIPE_BUF. Returns the exit status.
 */
int measure(struct run *run, const struct targets *targets, struct schedule *schedule,
            const struct probe_message *message);

#endif
