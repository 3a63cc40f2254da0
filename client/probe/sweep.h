/* SPDX-License-Identifier: MIT */
/* The search for the size of message at which replies stop. */
#ifndef TINCAN_CLIENT_PROBE_SWEEP_H
#define TINCAN_CLIENT_PROBE_SWEEP_H

#include "client/probe/probe_message.h"
#include "client/probe/schedule.h"
#include "client/report/report.h"

/* A size fails after this many tries, so that one lost probe does not mislead. */
#define SWEEP_TRIES 3

/*
 * Probes sizes between those of `run->options` by bisection, and reports them; none if the target
 * has no address. Returns the exit status.
 */
int sweep(struct run *run, struct schedule *schedule, struct probe_message *message);

#endif
