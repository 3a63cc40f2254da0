/* SPDX-License-Identifier: MIT */
/* The limits of the persistent server, from its command line and the system. */
#ifndef TINCAN_TINCAND_LIMITS_H
#define TINCAN_TINCAND_LIMITS_H

#include "common/text.h"

#include <stddef.h>
#include <stdint.h>

struct limits {
    uint64_t max_connections; /* at once; more wait in the kernel's queue */
    uint64_t max_per_source;  /* at once of one source; more are closed */
    uint64_t max_memory;      /* for messages, in bytes; above, input waits in the kernel */
    uint64_t grace;           /* for exchanges in progress when the server must stop, in us */
    uint64_t idle_exit;       /* the server ends after so long without a connection, in us; or 0 */
};

/*
 * Sets the numbers of connections that are 0, not given, from the limit of descriptors, of which
 * `listeners` are listening sockets. Raises the soft limit if those that were given need it.
 * Returns 0, or -1 with a sentence added to `problem` if the hard limit is too low.
 */
int limits_complete(struct limits *limits, size_t listeners, struct text *problem);

#endif
