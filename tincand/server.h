/* SPDX-License-Identifier: MIT */
/*
 * Many connections in one process: the event loop. It accepts as many connections as the limits
 * allow, reports to the service manager, and on a signal finishes the exchanges in progress.
 */
#ifndef TINCAN_TINCAND_SERVER_H
#define TINCAN_TINCAND_SERVER_H

#include "handler/settings.h"
#include "tincand/limits.h"
#include "tincand/listeners.h"
#include "tincand/log_queue.h"

/*
 * Serves until a signal (SIGTERM, SIGINT, SIGHUP) or the idle time ends it. Returns 0 after that,
 * or a negative errno value if the event loop could not be set up or failed. Closes the listeners;
 * `log` stays the caller's.
 */
int server_run(struct listeners *listeners, const struct settings *settings,
               const struct limits *limits, struct log_queue *log);

#endif
