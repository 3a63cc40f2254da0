/* SPDX-License-Identifier: MIT */
/* The measuring mode: probes on a schedule, as a flood or of many sizes, and reports of them. */
#ifndef TINCAN_CLIENT_PROBE_PROBE_H
#define TINCAN_CLIENT_PROBE_PROBE_H

#include "client/options.h"

/* Probes and reports as `options` ask for. Returns the exit status. */
int probe_run(const struct options *options);

#endif
