/* SPDX-License-Identifier: MIT */
/*
 * Many connections in one process: the event loop. It accepts only as many as it may have, tells
 * the service manager how it is, and on a signal finishes what it has begun.
 */
#ifndef TINCAN_TINCAND_SERVER_H
#define TINCAN_TINCAND_SERVER_H

#include "handler/settings.h"
#include "tincand/listeners.h"
#include "tincand/log_queue.h"
#include "tincand/sessions.h"

/*
 * Serves until a signal (SIGTERM, SIGINT, SIGHUP) or the idle time ends it. Returns 0 after that,
 * or a negative errno value when the event loop could not be set up or failed. The listeners are
 * closed by then; the log stays the caller's.
 */
int server_run(struct listeners *listeners, const struct settings *settings,
               const struct limits *limits, struct log_queue *log);

#endif
