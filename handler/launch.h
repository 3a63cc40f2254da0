/* SPDX-License-Identifier: MIT */
/* What the super-server handed over: where the connection is, and whether standard error belongs to
 * the operator or to the peer. */
#ifndef TINCAN_HANDLER_LAUNCH_H
#define TINCAN_HANDLER_LAUNCH_H

#include <stdbool.h>

struct launch {
    int in, out;                /* the connection: one descriptor, or two ends */
    bool in_socket, out_socket; /* which of them are sockets */
    bool stderr_ours;           /* descriptor 2 is open, and no socket of the peer */
    bool stderr_journal;        /* it leads to the journal, by JOURNAL_STREAM */
};

/*
 * Finds out what was handed over; opens and changes nothing. The connection is descriptors 0 and 1,
 * or 3 where LISTEN_FDS and LISTEN_PID say so (sd_listen_fds(3)). Returns NULL, or the reason why
 * this is no connection, as a clause for the log. The fields on standard error are set either way.
 */
const char *launch_find(struct launch *launch);

/* Sets only the fields on standard error. The peer is at the descriptors `in` and `out`. */
void launch_find_stderr(struct launch *launch, int in, int out);

#endif
