/* SPDX-License-Identifier: MIT */
/*
 * What the super-server that started this process handed over: where the connection is, and
 * whether standard error is the peer's ear or the operator's.
 */
#ifndef TINCAN_HANDLER_LAUNCH_H
#define TINCAN_HANDLER_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

struct launch {
    int in, out;                /* the connection: equal, or two ends */
    bool in_socket, out_socket; /* which of them are sockets */
    bool stderr_open;           /* descriptor 2 is open ... */
    bool stderr_peer;           /* ... and is the connection: nothing may be written to it */
    dev_t stderr_device;        /* what descriptor 2 is, as JOURNAL_STREAM names it */
    ino_t stderr_inode;
};

/*
 * Finds out what was handed over, opening and changing nothing: the connection is descriptors 0
 * and 1, or 3 where LISTEN_FDS and LISTEN_PID say so (sd_listen_fds(3)). Returns NULL, or why this
 * is no connection, as a clause for the log; the fields on standard error are set in either case.
 */
const char *launch_find(struct launch *launch);

/* Sets the fields on standard error alone, where the peer, if anywhere, is at descriptors `in` and
 * `out`. */
void launch_find_stderr(struct launch *launch, int in, int out);

#endif
