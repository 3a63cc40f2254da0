/* SPDX-License-Identifier: MIT */
/* The measuring mode: probes on a schedule or as many as possible, and reports of them. */
#ifndef TINCAN_CLIENT_PROBE_PROBE_H
#define TINCAN_CLIENT_PROBE_PROBE_H

#include "client/options.h"

/* Probes as `options` ask for, and reports. Returns the exit status. */
int probe(const struct options *options);

#endif
