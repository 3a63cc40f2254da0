/* SPDX-License-Identifier: MIT */
/* What a server has done so far, in numbers, for the operator: systemctl status shows them. */
#ifndef TINCAN_TINCAND_STATUS_H
#define TINCAN_TINCAND_STATUS_H

#include "handler/result.h"
#include "tincand/log_queue.h"
#include "tincand/notify.h"

#include <systemd/sd-event.h>

struct status {
    size_t open;                        /* connections now */
    uint64_t results[RESULT_ERROR + 1]; /* exchanges so far, by result */
    uint64_t turned_away;               /* connections closed at once: their source had too many */
    struct log_queue *log;              /* which counts what it drops */
    struct notify notify;               /* whom all of this is told */
    sd_event_source *timer;
    uint64_t sent; /* when, on the event loop's clock */
};

/* Begins to count, and opens what `notify` is. Returns 0 or a negative errno value. */
int status_open(struct status *status, sd_event *event, struct log_queue *log);

/* To be called when a number has changed: the service manager is told within a second. */
void status_touch(struct status *status);

/*
 * Tells the service manager at once that the server is in this state (`READY=1`, `STOPPING=1` of
 * sd_notify(3)), and the numbers: `open 3, echoed 1204, 2 eof, 1 invalid-utf8, 4 turned away, 1 log
 * line lost`. What is zero is left out, but for the first two. Without such a manager it does
 * nothing.
 */
void status_send(struct status *status, const char *state);

void status_close(struct status *status);

#endif
