/* SPDX-License-Identifier: MIT */
/* The search for the size of message at which replies stop. */
#ifndef TINCAN_CLIENT_PROBE_SWEEP_H
#define TINCAN_CLIENT_PROBE_SWEEP_H

#include "client/probe/probe_message.h"
#include "client/probe/schedule.h"
#include "client/report/report.h"

/* How often a size is tried before it counts as failing, so that a chance loss does not mislead. */
#define SWEEP_TRIES 3

/*
 * Probes sizes between those that the options name, by bisection, and prints each and the verdict.
 * Returns the exit status.
 */
int sweep(struct schedule *schedule, const struct run *run, struct probe_message *message);

/* Prints the end of a sweep, in JSON, whose target has no address, as `why` says. */
void sweep_print_unresolved(const struct run *run, const char *why);

#endif
