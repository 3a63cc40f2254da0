/* SPDX-License-Identifier: MIT */
/*
 * Many connections in one process: the event loop around connection.h. It accepts only as many as
 * it may have, gives each source its share, ends what takes too long, tells the service manager how
 * it is, and on a signal finishes what it has begun.
 */
#ifndef TINCAN_SERVER_H
#define TINCAN_SERVER_H

#include "listeners.h"
#include "log_queue.h"
#include "settings.h"

#include <stddef.h>
#include <stdint.h>

struct server_limits {
    size_t max_connections; /* at once; above that they wait in the kernel's queue */
    size_t max_per_source;  /* at once of one source; above that they are closed */
    size_t max_memory;      /* for messages, in bytes; above that input waits in the kernel */
    uint64_t grace;         /* for what is in flight when the server is told to stop, in us */
    uint64_t idle_exit;     /* the server ends when it has been idle so long, in us; 0: never */
};

/*
 * Serves until a signal (SIGTERM, SIGINT, SIGHUP) or the idle time ends it. Returns 0 after that,
 * or a negative errno value when the event loop could not be set up or failed. The listeners are
 * closed by then; the log stays the caller's.
 */
int server_run(struct listeners *listeners, const struct settings *settings,
               const struct server_limits *limits, struct log_queue *log);

#endif
