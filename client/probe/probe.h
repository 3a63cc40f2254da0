/* SPDX-License-Identifier: MIT */
/* The measuring mode: probes on a schedule, as a flood or of many sizes, and reports of them. */
#ifndef TINCAN_CLIENT_PROBE_PROBE_H
#define TINCAN_CLIENT_PROBE_PROBE_H

#include "client/probe/probe_message.h"
#include "client/probe/schedule.h"
#include "client/probe/targets.h"

/* Probes and reports as `options` ask for. Returns the exit status. */
int probe_run(const struct options *options);

/*
 * For probe_run: runs probes with one message, on a schedule or as a flood; none if no target has
 * an address. Standard output must have a buffer of at least 2 * PIPE_BUF. Returns the exit status.
 */
int measure(struct run *run, const struct targets *targets, struct schedule *schedule,
            const struct probe_message *message);

/*
 * For probe_run: probes sizes between those of `run->options` by bisection, and reports them; none
 * if the target has no address. Returns the exit status.
 */
int sweep(struct run *run, struct schedule *schedule, struct probe_message *message);

#endif
